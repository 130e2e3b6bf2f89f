/** @file A served encoder as the AI SDK's embedding model, in this process. */

import type { EmbeddingModelV3, SharedV3Warning } from "@ai-sdk/provider";
import { UnsupportedError } from "../base/errors.js";
import type { ServedModel, TextService } from "../server/openai/service.js";
import { providerName } from "./options.js";

/** Any number of texts in one call. */
export function embeddingModel(service: TextService, { id }: ServedModel): EmbeddingModelV3 {
  return {
    specificationVersion: "v3",
    provider: providerName,
    modelId: id,
    maxEmbeddingsPerCall: Number.POSITIVE_INFINITY,
    supportsParallelCalls: false,

    async doEmbed({ values, abortSignal = new AbortController().signal, providerOptions = {} }) {
      abortSignal.throwIfAborted();
      if (!service.embed) {
        throw new UnsupportedError(`${id} makes no embeddings; open the service with a model that does (embeddings)`);
      }
      const { vectors, numTokens } = await service.embed({ model: id, texts: values, signal: abortSignal });
      abortSignal.throwIfAborted();
      const warnings: SharedV3Warning[] = Object.keys(providerOptions[providerName] ?? {}).map((name) => ({
        type: "unsupported",
        feature: `providerOptions.${providerName}.${name}`,
      }));
      return { embeddings: vectors.map((vector) => Array.from(vector)), usage: { tokens: numTokens }, warnings };
    },
  };
}
