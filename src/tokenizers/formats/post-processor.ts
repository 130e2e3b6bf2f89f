/** @file Reads from tokenizer.json which ids a model expects around one text, and around two. */

import { z } from "zod";
import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { parseEntry, typedSchema } from "../json-entry.js";
import type { SequenceTemplate, TemplatePiece } from "../tokenizer.js";

const sequenceSchema = z.looseObject({ processors: z.array(typedSchema) });
const tokenSchema = z.tuple([z.string(), z.int().nonnegative()]);
const clsSepSchema = z.looseObject({ cls: tokenSchema, sep: tokenSchema });
const pieceSchema = z.union([
  z.strictObject({ SpecialToken: z.looseObject({ id: z.string(), type_id: z.int().nonnegative().default(0) }) }),
  z.strictObject({ Sequence: z.looseObject({ id: z.enum(["A", "B"]), type_id: z.int().nonnegative().default(0) }) }),
]);
const templateSchema = z.looseObject({
  single: z.array(pieceSchema),
  pair: z.array(pieceSchema).default([]),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.int().nonnegative()) })),
});

/** What belongs around one text, and around two: pieces in order. */
export interface Templates {
  readonly single: readonly TemplatePiece[];
  readonly pair: readonly TemplatePiece[];
}

const [first, second] = [
  { text: "first", typeId: 0 },
  { text: "second", typeId: 1 },
] as const;
const nothing: Templates = { single: [first], pair: [first, second] };

/**
 * The templates of a `post_processor` entry; `ByteLevel` changes no ids.
 * @throws UnsupportedError on a type that is not known.
 */
export function readTemplates(entry: { readonly type: string } | null | undefined): Templates {
  if (!entry || entry.type === "ByteLevel") return nothing;
  const name = `post_processor ${entry.type}`;
  if (entry.type === "TemplateProcessing") return ofTemplate(parseEntry(templateSchema, entry, name));
  if (entry.type === "Sequence") return nested(parseEntry(sequenceSchema, entry, name).processors);
  if (entry.type === "BertProcessing" || entry.type === "RobertaProcessing") {
    const { cls, sep } = parseEntry(clsSepSchema, entry, name);
    return ofClsSep(cls[1], sep[1], entry.type === "BertProcessing");
  }
  throw new UnsupportedError(`tokenizer.json: ${name} is not supported`);
}

/** What stands before and after a single text. @throws UnsupportedError when the text is not there once. */
export function aroundOne({ single }: Templates): SequenceTemplate {
  const places = single.flatMap((piece, i) => ("text" in piece ? [i] : []));
  const [place] = places;
  if (place === undefined || places.length > 1) {
    throw new CheckpointError("tokenizer.json: post_processor: a template for one text needs it once");
  }
  const ids = (pieces: readonly TemplatePiece[]): number[] =>
    pieces.flatMap((piece) => ("ids" in piece ? piece.ids : []));
  return { prefix: ids(single.slice(0, place)), suffix: ids(single.slice(place + 1)) };
}

/** RoBERTa puts two separators between two texts, and has no types. */
function ofClsSep(clsId: number, sepId: number, isBert: boolean): Templates {
  const [cls, sep] = [
    { ids: [clsId], typeId: 0 },
    { ids: [sepId], typeId: 0 },
  ];
  const pair = isBert
    ? [cls, first, sep, second, { ...sep, typeId: 1 }]
    : [cls, first, sep, sep, { ...second, typeId: 0 }, sep];
  return { single: [cls, first, sep], pair };
}

function ofTemplate({ single, pair, special_tokens: tokens }: z.infer<typeof templateSchema>): Templates {
  const pieceOf = (piece: z.infer<typeof pieceSchema>): TemplatePiece => {
    if ("Sequence" in piece) {
      return { text: piece.Sequence.id === "A" ? "first" : "second", typeId: piece.Sequence.type_id };
    }
    const known = tokens[piece.SpecialToken.id];
    if (known !== undefined) return { ids: known.ids, typeId: piece.SpecialToken.type_id };
    throw new CheckpointError(
      `tokenizer.json: post_processor: the template names ${piece.SpecialToken.id}, which special_tokens does not have`,
    );
  };
  return { single: single.map(pieceOf), pair: pair.map(pieceOf) };
}

/** One around the other: what stands for the texts is what the processor before has made of them. */
function nested(entries: readonly { readonly type: string }[]): Templates {
  return entries
    .filter(({ type }) => type !== "ByteLevel")
    .map(readTemplates)
    .reduce(
      (inner, outer) => ({
        single: outer.single.flatMap((piece) => ("text" in piece ? inner.single : [piece])),
        pair: outer.pair.flatMap((piece) => ("text" in piece ? partOf(inner, piece.text) : [piece])),
      }),
      nothing,
    );
}

function partOf({ pair }: Templates, text: "first" | "second"): readonly TemplatePiece[] {
  const isPlain = pair.every((piece) => "text" in piece);
  if (isPlain) return pair.filter((piece) => "text" in piece && piece.text === text);
  throw new UnsupportedError(
    "tokenizer.json: post_processor: two templates in sequence are not supported for two texts",
  );
}
