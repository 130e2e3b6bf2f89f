/** @file A served model as the AI SDK's language model, in this process. */

import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3Content,
  LanguageModelV3StreamPart,
  SharedV3ProviderMetadata,
  SharedV3Warning,
} from "@ai-sdk/provider";
import { readyChat } from "../server/openai/ready-chat.js";
import { seedOf } from "../server/openai/schemas/sampling.js";
import type { ServedModel, TextService } from "../server/openai/service.js";
import { answerParts } from "./answer.js";
import { mappedCall, providerName } from "./options.js";

/**
 * Version 3 of the interface, which `ai` 6 speaks and `ai` 7 takes too. Settings that cannot be followed are warned of or
 * refused; HTTP headers say nothing here. The seed, given or drawn, is `providerMetadata.tessera.seed`.
 */
export function languageModel(service: TextService, model: ServedModel): LanguageModelV3 {
  return {
    specificationVersion: "v3",
    provider: providerName,
    modelId: model.id,
    supportedUrls: {},

    async doGenerate(options) {
      const { parts, warnings, providerMetadata } = await answer(service, model, options);
      const content: LanguageModelV3Content[] = [];
      let text = "";
      for await (const part of parts) {
        if (part.type === "text-delta") text += part.delta;
        else if (part.type === "text-end") {
          content.push({ type: "text", text });
          text = "";
        } else if (part.type === "tool-call") content.push(part);
        else if (part.type === "finish") {
          const { finishReason, usage } = part;
          return { content, finishReason, usage, warnings, providerMetadata, response: responseOf(model) };
        }
      }
      throw new Error("internal error: an answer has no end");
    },

    async doStream(options) {
      const { parts, warnings, providerMetadata } = await answer(service, model, options);
      async function* all(): AsyncGenerator<LanguageModelV3StreamPart, void> {
        yield { type: "stream-start", warnings };
        yield { type: "response-metadata", ...responseOf(model) };
        for await (const part of parts) yield part.type === "finish" ? { ...part, providerMetadata } : part;
      }
      return { stream: streamOf(all()) };
    },
  };
}

interface Answer {
  readonly parts: AsyncGenerator<LanguageModelV3StreamPart, void>;
  readonly warnings: SharedV3Warning[];
  readonly providerMetadata: SharedV3ProviderMetadata;
}

/** Checks the call at once; computes nothing before the first part is asked for. */
async function answer(service: TextService, model: ServedModel, options: LanguageModelV3CallOptions): Promise<Answer> {
  options.abortSignal?.throwIfAborted();
  const { job, warnings } = mappedCall(model, options);
  const chat = await readyChat(service, job);
  const seed = seedOf(options);
  const parts = answerParts(await chat.generate(seed), {
    reader: chat.reader(),
    idLength: chat.use?.format.idLength,
    signal: job.signal,
    withRaw: options.includeRawChunks === true,
  });
  return { parts, warnings, providerMetadata: { [providerName]: { seed } } };
}

function responseOf({ id }: ServedModel) {
  return { id: crypto.randomUUID(), timestamp: new Date(), modelId: id };
}

/** Made as it is read; cancelling frees the model. */
function streamOf(parts: AsyncGenerator<LanguageModelV3StreamPart, void>): ReadableStream<LanguageModelV3StreamPart> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await parts.return();
    },
  });
}
