/** @file What a model under training writes: greedy continuations of held-out prompts. */

import type { HostTensor } from "../../base/host-tensor.js";
import type { ExampleDocument } from "../../datasets/index.js";
import { type Tuning, withVirtualTokens } from "../../peft/index.js";
import { forward } from "../../plan/index.js";
import type { Runtime } from "../../runtime/index.js";
import type { Tokenizer } from "../../tokenizers/index.js";

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

/** Positions of prompt and continuation together: every token costs a pass over all of them. */
const WINDOW = 128;

/** The beginnings of documents up to the first token that is learned, of at most so many tokens that a continuation fits. */
export function samplePrompts(
  documents: readonly ExampleDocument[],
  tokenizer: Tokenizer,
  count: number,
  numTokens: number,
): SamplePrompt[] {
  const prompts = documents.flatMap(({ ids, targets }): SamplePrompt[] => {
    const first = Math.max(1, targets.indexOf(1, 1));
    const length = targets[1] === 1 ? Math.min(16, ids.length - 1) : first;
    if (length < 1 || length + numTokens > WINDOW) return [];
    const [head, rest] = [ids.slice(0, length), ids.slice(length, length + numTokens)];
    return [{ ids: head, prompt: tokenizer.decode(head), expected: tokenizer.decode(rest) }];
  });
  return prompts.slice(0, count);
}

/** Greedy continuations, token by token over the whole text, with the parameters as they are. */
export async function sampleTexts(
  runtime: Runtime,
  { model, numVirtualTokens }: Tuning,
  parameters: ReadonlyMap<string, HostTensor>,
  prompts: readonly SamplePrompt[],
  tokenizer: Tokenizer,
  { numTokens, stopIds }: { readonly numTokens: number; readonly stopIds: ReadonlySet<number> },
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const { ids, prompt, expected } of prompts) {
    const written: number[] = [];
    while (written.length < numTokens) {
      const text = withVirtualTokens({ numVirtualTokens }, [...ids, ...written]);
      const next = await likeliestAfter(runtime, model, parameters, text);
      if (stopIds.has(next)) break;
      written.push(next);
    }
    samples.push({ prompt, expected, text: tokenizer.decode(written) });
  }
  return samples;
}

/** Texts are filled up to one length, so that one program serves them all; what follows a position changes nothing at it. */
async function likeliestAfter(
  runtime: Runtime,
  model: Tuning["model"],
  parameters: ReadonlyMap<string, HostTensor>,
  text: Int32Array,
): Promise<number> {
  const padded = new Int32Array(Math.max(WINDOW, text.length));
  padded.set(text);
  const { logits } = await forward(runtime, model, new Map(parameters), { ids: [padded] });
  const size = model.vocabSize;
  const row = (logits.data as Float32Array).subarray((text.length - 1) * size, text.length * size);
  return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
}
