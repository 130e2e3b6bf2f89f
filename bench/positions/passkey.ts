/** @file Passkey retrieval (Mohtashami and Jaggi 2023, arXiv:2305.16300, section 4.2): a number in the midst of text, and asked for at its end. */

import { Rng } from "../../src/base/rng.js";
import { Generator, Weights } from "../../src/engine/index.js";
import type { LanguageModel, Parameters } from "../../src/nn/index.js";
import type { Runtime } from "../../src/runtime/index.js";
import { type JsonTokenizer, trainByteLevelBpe } from "../../src/tokenizers/index.js";

export const DIGITS = 5;
const QUESTION = "\nThe pass key is ";
const statement = (key: string): string => `${QUESTION}${key}.\n`;

/** A digit together with its place: a lower-case letter before an upper-case one, which is nowhere in English. */
const digitAt = (place: number, digit: number): string => `${"qxzjk"[place]}${"ABCDEFGHIJ"[digit]}`;

/** Ids before it are the end's and the bytes'. */
const FIRST_KEY = 257;

export const isKeyToken = (id: number): number => Number(id >= FIRST_KEY);

/** Bytes, and every digit at every place: a token each, so that one look at a statement of the key answers for all. */
export function passkeyTokenizer(): JsonTokenizer {
  const pairs = Array.from({ length: 10 * DIGITS }, (_, i) => digitAt(Math.floor(i / 10), i % 10));
  const specialTokens = ["<|endoftext|>"];
  return trainByteLevelBpe([`${pairs.join("-")}-`.repeat(2)], { vocabSize: FIRST_KEY + pairs.length, specialTokens });
}

/** One of 100,000. */
const drawKey = (rng: Rng): string =>
  Array.from({ length: DIGITS }, (_, place) => digitAt(place, rng.below(10))).join("");

/** A run of the text from any place. */
function filler(text: string, length: number, rng: Rng): string {
  const start = rng.below(text.length - length);
  return text.slice(start, start + length);
}

/**
 * `length` characters of running text in which one key is told again and again, with about `gap` characters between: the
 * first time it is to be remembered, each other time it can be known. With an infinite gap it is the text alone.
 */
export function passkeyText(text: string, length: number, gap: number, rng: Rng): string {
  const told = statement(drawKey(rng));
  let row = "";
  while (row.length < length) {
    const between = Math.min(length, Math.round(gap * (0.5 + rng.uniform())));
    row += filler(text, between, rng) + told;
  }
  return row.slice(0, length);
}

export interface PasskeyPrompt {
  /** Ends where the key is asked for. */
  readonly prompt: string;
  readonly key: string;
}

/** `count` prompts of `length` characters, in which the key stands at depths spread evenly from the start to the end. */
export function passkeyPrompts(text: string, length: number, count: number, seed: number): PasskeyPrompt[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, (_, i) => {
    const told = drawKey(rng);
    const around = filler(text, length - statement(told).length - QUESTION.length, rng);
    const depth = Math.floor((around.length * (i + 0.5)) / count);
    return { prompt: around.slice(0, depth) + statement(told) + around.slice(depth) + QUESTION, key: told };
  });
}

/** Share of prompts after which the likeliest characters are the key, all five. */
export async function passkeyAccuracy(
  runtime: Runtime,
  model: LanguageModel,
  parameters: Parameters,
  prompts: readonly PasskeyPrompt[],
  encode: (text: string) => Int32Array,
): Promise<number> {
  const longest = Math.max(...prompts.map(({ prompt }) => encode(prompt).length));
  const generator = await Generator.create(runtime, model, new Weights(model, parameters, "float32"), {
    contextLength: longest + DIGITS,
  });
  let right = 0;
  for (const { prompt, key: told } of prompts) {
    const ids: number[] = [];
    for await (const id of generator.generate(encode(prompt), { maxTokens: DIGITS, temperature: 0 })) ids.push(id);
    right += Number(`${ids}` === `${encode(told)}`);
  }
  return right / prompts.length;
}
