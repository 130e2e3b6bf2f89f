/** @file Reads from tokenizer.json which ids a model expects around a text. */

import { z } from "zod";
import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { parseEntry, typedSchema } from "../json-entry.js";
import type { SequenceTemplate } from "../tokenizer.js";

const sequenceSchema = z.looseObject({ processors: z.array(typedSchema) });
const pairSchema = z.tuple([z.string(), z.int().nonnegative()]);
const clsSepSchema = z.looseObject({ cls: pairSchema, sep: pairSchema });
const pieceSchema = z.union([
  z.strictObject({ SpecialToken: z.looseObject({ id: z.string() }) }),
  z.strictObject({ Sequence: z.looseObject({ id: z.string() }) }),
]);
const templateSchema = z.looseObject({
  single: z.array(pieceSchema),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.int().nonnegative()) })),
});

const nothing: SequenceTemplate = { prefix: [], suffix: [] };

/**
 * The template of a `post_processor` entry; `ByteLevel` changes no ids.
 * @throws UnsupportedError on a type that is not known.
 */
export function readTemplate(entry: { readonly type: string } | null | undefined): SequenceTemplate {
  if (!entry || entry.type === "ByteLevel") return nothing;
  const name = `post_processor ${entry.type}`;
  if (entry.type === "TemplateProcessing") return ofTemplate(parseEntry(templateSchema, entry, name));
  if (entry.type === "Sequence") return nested(parseEntry(sequenceSchema, entry, name).processors);
  if (entry.type === "BertProcessing" || entry.type === "RobertaProcessing") {
    const { cls, sep } = parseEntry(clsSepSchema, entry, name);
    return { prefix: [cls[1]], suffix: [sep[1]] };
  }
  throw new UnsupportedError(`tokenizer.json: ${name} is not supported`);
}

function nested(entries: readonly { readonly type: string }[]): SequenceTemplate {
  return entries.map(readTemplate).reduce(
    (inner, outer) => ({
      prefix: [...outer.prefix, ...inner.prefix],
      suffix: [...inner.suffix, ...outer.suffix],
    }),
    nothing,
  );
}

function ofTemplate({ single, special_tokens: tokens }: z.infer<typeof templateSchema>): SequenceTemplate {
  const place = single.findIndex((piece) => "Sequence" in piece);
  const ids = (pieces: typeof single): number[] =>
    pieces.flatMap((piece) => {
      const known = "SpecialToken" in piece ? tokens[piece.SpecialToken.id] : undefined;
      if (known === undefined)
        throw new CheckpointError("tokenizer.json: post_processor: a template needs one sequence");
      return known.ids;
    });
  if (place < 0) throw new CheckpointError("tokenizer.json: post_processor: a template without a sequence");
  return { prefix: ids(single.slice(0, place)), suffix: ids(single.slice(place + 1)) };
}
