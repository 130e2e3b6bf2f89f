/** @file Reads and writes Unigram in tokenizer.json: T5, XLM-R, ALBERT, DeBERTa and their kin. */

import { z } from "zod";
import { assert, CheckpointError } from "../../base/errors.js";
import { Trie } from "../algorithms/trie.js";
import { Unigram, unknownPenalty } from "../algorithms/unigram.js";
import { parseEntry } from "../json-entry.js";
import { readSteps } from "../pretokenizers/steps.js";
import { bytePieceIds, Vocabulary } from "../vocabulary.js";
import type { ModelFormat } from "./format.js";

const modelSchema = z.strictObject({
  type: z.literal("Unigram"),
  unk_id: z.int().nonnegative().nullish(),
  vocab: z.array(z.tuple([z.string(), z.number()])),
  byte_fallback: z.boolean().default(false),
});

export const unigramFormat: ModelFormat = {
  name: "Unigram",
  read({ entry, pretokenizers, hidden }) {
    const { unk_id: unkId, vocab, byte_fallback } = parseEntry(modelSchema, entry, "model Unigram");
    if (unkId !== undefined && unkId !== null && unkId >= vocab.length) {
      throw new CheckpointError(`tokenizer.json: model: unk_id is ${unkId}, but there are ${vocab.length} tokens`);
    }
    const vocabulary = new Vocabulary(vocab.map(([token]) => token));
    const scores = Float64Array.from(vocab, ([, score]) => asRustReads(score));
    const model = new Unigram({
      vocabulary,
      scores,
      words: new Trie([...vocabulary.entries()].filter(([, id]) => !hidden.has(id))),
      unknownScore: scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - unknownPenalty,
      unknown: {
        unkId: unkId ?? undefined,
        fuses: true,
        byteIds: byte_fallback ? bytePieceIds((token) => vocabulary.id(token)) : undefined,
      },
      precision: "double",
    });
    return { model, steps: readSteps(pretokenizers) };
  },
  write(model) {
    assert(model instanceof Unigram, "a tokenizer of this format has a Unigram model");
    const { scores, unknown } = model.options;
    // what was read may differ in the last place from what the file says, and reads to the same again
    return {
      type: "Unigram",
      unk_id: unknown.unkId ?? null,
      vocab: model.vocabulary.tokens.map((token, id) => [token ?? "", scores[id] ?? 0]),
      byte_fallback: unknown.byteIds !== undefined,
    };
  },
};

/**
 * The number that the library makes of a score's digits: it divides an integer by a power of ten, which rounds twice. The
 * last place decides between segmentations that tie.
 */
function asRustReads(score: number): number {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^-?(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(score)) ?? [];
  const power = Number(exponent) - fraction.length;
  if (whole === "" || power >= 0 || power < -22) return score;
  return (Math.sign(score) * Number(whole + fraction)) / 10 ** -power;
}
