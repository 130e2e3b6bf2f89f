/** @file Samples during a run: continuations of held-out prompts, for people to read. */

import type { ExampleDocument } from "../../datasets/index.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import type { Writer } from "./writer.js";

export interface SamplePrompt {
  readonly ids: Int32Array;
  readonly prompt: string;
  /** What the example says instead. */
  readonly expected: string;
}

export interface Sample {
  readonly prompt: string;
  readonly expected: string;
  readonly text: string;
}

/** The beginnings of documents up to the first token that is learned, of at most so many ids with their continuation. */
export function samplePrompts(
  documents: readonly ExampleDocument[],
  tokenizer: Tokenizer,
  count: number,
  { numTokens, mostTokens }: { readonly numTokens: number; readonly mostTokens: number },
): SamplePrompt[] {
  const prompts = documents.flatMap(({ ids, targets }): SamplePrompt[] => {
    const first = Math.max(1, targets.indexOf(1, 1));
    const length = targets[1] === 1 ? Math.min(16, ids.length - 1) : first;
    if (length < 1 || length + numTokens > mostTokens) return [];
    const [head, rest] = [ids.slice(0, length), ids.slice(length, length + numTokens)];
    return [{ ids: head, prompt: tokenizer.decode(head), expected: tokenizer.decode(rest) }];
  });
  return prompts.slice(0, count);
}

/** What the model writes after each, with the parameters as they are. */
export async function sampleTexts(
  writer: Writer,
  prompts: readonly SamplePrompt[],
  numTokens: number,
): Promise<Sample[]> {
  const texts = await writer.write(
    prompts.map(({ ids }) => ids),
    { numTokens },
  );
  return prompts.map(({ prompt, expected }, i) => ({ prompt, expected, text: texts[i]! }));
}
