/** @file A provider for the Vercel AI SDK: models of a text service, in this process. */

import type { EmbeddingModelV3, LanguageModelV3, ProviderV3 } from "@ai-sdk/provider";
import { ConfigError, UnsupportedError } from "../base/errors.js";
import type { ServedModel, TextService } from "../server/openai/service.js";
import { embeddingModel } from "./embedding-model.js";
import { languageModel } from "./language-model.js";
import { plainTextService } from "./plain-text.js";

export type { TesseraOptions } from "./options.js";

export interface TesseraProvider extends ProviderV3 {
  /** The same as `languageModel`. */
  (modelId: string): LanguageModelV3;
  /** Goes on from the prompt's text as it is: for models without a chat template. */
  completionModel(modelId: string): LanguageModelV3;
}

/**
 * Models for `generateText`, `streamText`, `embed` and their kin of the package `ai`, from version 6 on. The service stays
 * the caller's to close.
 * @throws ConfigError, when a model is asked for, for a name that the service does not have.
 */
export function createTessera(service: TextService): TesseraProvider {
  const found = (id: string): ServedModel => {
    const models = service.models();
    const model = models.find((served) => served.id === id);
    if (model) return model;
    throw new ConfigError(`there is no model ${id} here, but ${models.map((served) => served.id).join(", ")}`);
  };
  const language = (id: string): LanguageModelV3 => languageModel(service, found(id));
  return Object.assign(language, {
    specificationVersion: "v3" as const,
    languageModel: language,
    completionModel: (id: string): LanguageModelV3 => languageModel(plainTextService(service), found(id)),
    embeddingModel: (id: string): EmbeddingModelV3 => embeddingModel(service, found(id)),
    imageModel(id: string): never {
      throw new UnsupportedError(`${id}: models here write text and make embeddings, no images`);
    },
  });
}
