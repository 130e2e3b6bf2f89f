/** @file A model behind OpenAI's HTTP interface, to read with. */

import { z } from "zod";
import { DataError, TesseraError } from "../../base/errors.js";
import type { TokenCounter } from "../../chunk/index.js";
import type { ReadingModel } from "./reading.js";

export interface HttpModelOptions {
  /** Where the interface begins, such as `http://localhost:8000/v1`. */
  readonly baseUrl: string;
  /** The model's name there. */
  readonly model: string;
  readonly apiKey?: string;
  /** Most tokens of prompt and answer together. */
  readonly contextLength: number;
  /** The model's tokenizer, or one that counts no less. */
  readonly counter: TokenCounter;
  /** Tokens that the server puts around a message. Default 32. */
  readonly overheadTokens?: number;
  /** 0 (default) takes the likeliest token. */
  readonly temperature?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

const answerSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
});

/** One user message per call, through `/chat/completions`. */
export function httpModel(options: HttpModelOptions): ReadingModel {
  const { baseUrl, model, apiKey, contextLength, counter } = options;
  const { overheadTokens = 32, temperature = 0, seed = 0, fetch: send = fetch } = options;
  const url = `${baseUrl.replace(/\/+$/, "")}/chat/completions`;
  return {
    id: JSON.stringify([url, model, temperature, seed]),
    contextLength,
    counter,
    countPrompt: (prompt) => counter.count(prompt) + overheadTokens,
    async generate(prompt, { maxTokens, signal }) {
      const messages = [{ role: "user", content: prompt }];
      const response = await send(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        },
        body: JSON.stringify({ model, messages, max_tokens: maxTokens, temperature, seed }),
        signal,
      });
      const body = await response.text();
      if (!response.ok) throw new TesseraError(`${url} answered ${response.status}: ${body.slice(0, 500)}`);
      return contentOf(body, url);
    },
  };
}

/** @throws DataError when the body is no chat completion. */
function contentOf(body: string, url: string): string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (thrown) {
    throw new DataError(`${url} answered no JSON: ${body.slice(0, 200)}`, { cause: thrown });
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) throw new DataError(`${url} answered no chat completion: ${z.prettifyError(parsed.error)}`);
  return parsed.data.choices[0]!.message.content ?? "";
}
