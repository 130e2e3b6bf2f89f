/** @file Writes a SentencePiece-style tokenizer as a `.model` (sentencepiece_model.proto, message ModelProto). */

import { z } from "zod";
import { UnsupportedError } from "../../base/errors.js";
import { Message } from "../../base/protobuf.js";
import type { TokenizerFile } from "../formats/format.js";
import { parseEntry } from "../json-entry.js";
import { rawNormalizer } from "./sentencepiece.js";

/** Values of the enumerations TrainerSpec.ModelType and SentencePiece.Type. */
const modelTypes = { Unigram: 1, BPE: 2 } as const;
const pieceTypes = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

const unigramSchema = z.looseObject({
  type: z.literal("Unigram"),
  vocab: z.array(z.tuple([z.string(), z.number()])),
  byte_fallback: z.boolean(),
});
const bpeSchema = z.looseObject({
  type: z.literal("BPE"),
  vocab: z.custom<Readonly<Record<string, number>>>((value) => typeof value === "object" && value !== null),
  merges: z.array(z.tuple([z.string(), z.string()])),
  byte_fallback: z.boolean(),
});

interface ModelPieces {
  readonly type: keyof typeof modelTypes;
  readonly pieces: readonly (readonly [text: string, score: number])[];
  readonly byteFallback: boolean;
}

/**
 * The `.model` of what `trainSentencePiece` learned; the reference library encodes with equal ids. The first special
 * token is the unknown one, `<s>`, `</s>` and `<pad>` take their roles, all others are control symbols.
 * @throws UnsupportedError for a tokenizer.json of another kind, which the format cannot express.
 */
export function sentencePieceModel(file: TokenizerFile): Uint8Array {
  const { type, pieces, byteFallback } = readPieces(file.model);
  const dummyPrefix = hasDummyPrefix(file);
  const special = new Set(file.added_tokens.map(({ content }) => content));
  const writer = new Message();
  pieces.forEach(([text, score], id) => {
    const isByte = byteFallback && /^<0x[0-9A-F]{2}>$/.test(text);
    const kind = id === 0 ? "unknown" : special.has(text) ? "control" : isByte ? "byte" : "normal";
    writer.message(1, new Message().string(1, text).float(2, score).int(3, pieceTypes[kind]));
  });
  const idOf = (token: string): number => pieces.findIndex(([text]) => text === token && special.has(text));
  writer.message(
    2,
    new Message()
      .int(3, modelTypes[type])
      .int(4, pieces.length)
      .int(35, byteFallback ? 1 : 0)
      .int(40, 0)
      .int(41, idOf("<s>"))
      .int(42, idOf("</s>"))
      .int(43, idOf("<pad>"))
      .string(45, pieces[0]![0]),
  );
  writer.message(
    3,
    new Message()
      .string(1, "identity")
      .int(3, dummyPrefix ? 1 : 0)
      .int(4, 0)
      .int(5, 1),
  );
  return writer.finish();
}

function readPieces(model: TokenizerFile["model"]): ModelPieces {
  if (model.type === "Unigram") {
    const { vocab, byte_fallback } = parseEntry(unigramSchema, model, "model Unigram");
    return { type: "Unigram", pieces: vocab, byteFallback: byte_fallback };
  }
  if (model.type !== "BPE") throw unsupported(`model ${model.type}`);
  const { vocab, merges, byte_fallback } = parseEntry(bpeSchema, model, "model BPE");
  // the earlier a piece was learned, the higher its score; what no merge makes is never asked for its score
  const ranks = new Map(merges.map(([left, right], rank) => [left + right, rank]));
  const pieces = Object.entries(vocab).sort((a, b) => a[1] - b[1]);
  return {
    type: "BPE",
    pieces: pieces.map(([text]) => [text, -(ranks.get(text) ?? merges.length)] as const),
    byteFallback: byte_fallback,
  };
}

/** Whether a text gets a space in front. */
function hasDummyPrefix({ normalizer, pre_tokenizer }: TokenizerFile): boolean {
  const written = JSON.stringify(normalizer ?? null);
  const prefixed = [true, false].find((isPrefixed) => written === JSON.stringify(rawNormalizer(isPrefixed)));
  if (pre_tokenizer) throw unsupported(`pre-tokenizer ${pre_tokenizer.type}`);
  if (prefixed === undefined) throw unsupported(`normalizer ${written}`);
  return prefixed;
}

function unsupported(what: string): UnsupportedError {
  return new UnsupportedError(`SentencePiece .model: cannot express ${what}; write what trainSentencePiece gives`);
}
