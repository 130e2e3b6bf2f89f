/** @file The `vocab` of tokenizer.json: tokens to ids. */

import { z } from "zod";
import { CheckpointError } from "../../base/errors.js";
import { Vocabulary } from "../vocabulary.js";

/** Far above real vocabularies; a larger id in a broken file would make tables that fill the memory. */
const maxIds = 2 ** 22;

// not a z.record: that would lose the token "__proto__"
export const vocabSchema = z.custom<Readonly<Record<string, number>>>(
  isVocabulary,
  `vocab must map tokens to ids below ${maxIds}`,
);

/** The tokens of a `vocab` entry by id. */
export function readVocab(vocab: Readonly<Record<string, number>>): Vocabulary {
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of Object.entries(vocab)) tokens[id] = token;
  return new Vocabulary(Array.from(tokens));
}

/** The `vocab` entry of tokens by id. */
export function writeVocab(tokens: readonly (string | undefined)[]): Record<string, number> {
  return Object.fromEntries(tokens.flatMap((token, id) => (token === undefined ? [] : [[token, id] as const])));
}

/** The id of a token that a setting names. @throws CheckpointError when there is none. */
export function idOfSetting(vocabulary: Vocabulary, setting: string, token: string): number {
  const id = vocabulary.id(token);
  if (id !== undefined) return id;
  throw new CheckpointError(`tokenizer.json: model: ${setting} is "${token}", which the vocabulary does not have`);
}

function isVocabulary(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((id) => isId(id));
}

function isId(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < maxIds;
}
