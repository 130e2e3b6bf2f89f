/** @file The decoders of tokenizer.json by type, and how their descriptions are read. */

import { z } from "zod";
import { UnsupportedError } from "../../base/errors.js";
import { parseEntry, typedSchema } from "../json-entry.js";
import { patternOf, patternSchema } from "../pretokenizers/regex-syntax.js";
import { byteFallback, byteLevel } from "./bytes.js";
import { type DecoderStep, decoderOf, fuse, type TokenDecoder } from "./decoder.js";
import { ctc, replacing, spaced, spaceMarks, stripping, strippingFront, wordPieces, wordSuffixes } from "./text.js";

type Entry = z.infer<typeof typedSchema>;
type DecoderReader = (entry: unknown) => DecoderStep;

const sequenceSchema = z.strictObject({ type: z.literal("Sequence"), decoders: z.array(typedSchema) });
const wordPieceSchema = z.looseObject({ prefix: z.string().default("##"), cleanup: z.boolean().default(true) });
const metaspaceSchema = z.looseObject({
  replacement: z.string().length(1),
  prepend_scheme: z.enum(["always", "first", "never"]).optional(),
  add_prefix_space: z.boolean().optional(),
});
const stripSchema = z.looseObject({
  content: z.string().min(1),
  start: z.int().nonnegative(),
  stop: z.int().nonnegative(),
});
const replaceSchema = z.looseObject({ pattern: patternSchema, content: z.string() });
const suffixSchema = z.looseObject({ suffix: z.string().min(1).default("</w>") });
const ctcSchema = z.looseObject({ pad_token: z.string(), word_delimiter_token: z.string(), cleanup: z.boolean() });

/** Decoders by their type in tokenizer.json. */
export const decoderTypes = {
  BPEDecoder: (entry) => wordSuffixes(parseEntry(suffixSchema, entry, "decoder BPEDecoder").suffix),
  ByteFallback: () => byteFallback,
  ByteLevel: () => byteLevel,
  CTC: readCtc,
  Fuse: () => fuse,
  Metaspace: readMetaspace,
  Replace: readReplace,
  Strip: readStrip,
  WordPiece: readWordPiece,
} as const satisfies Record<string, DecoderReader>;

/**
 * The decoder that an entry of tokenizer.json describes; without one tokens are joined by spaces.
 * @throws UnsupportedError on a type that is not in the registry.
 */
export function readDecoder(entry: Entry | null | undefined): TokenDecoder {
  if (!entry) return decoderOf([spaced]);
  const entries = decoderEntries(entry);
  const fuseAt = entries.findIndex(({ type }) => type === "Fuse" || type === "ByteLevel");
  const rest = fuseAt < 0 ? [] : entries.slice(fuseAt + 1);
  if (fuseAt < 0 || !rest.every(worksOnParts)) return decoderOf(entries.flatMap(fusedSteps));
  // nothing after it minds that the text comes in parts, so that each part can be had at once
  const fused = entries[fuseAt]!.type === "ByteLevel" ? [byteLevel] : [];
  return decoderOf([...entries.slice(0, fuseAt).map(readStep), ...fused, ...rest.map(readPartStep)]);
}

/** The entries of a sequence, also of one within another. */
export function decoderEntries(entry: Entry): Entry[] {
  if (entry.type !== "Sequence") return [entry];
  return parseEntry(sequenceSchema, entry, "decoder").decoders.flatMap(decoderEntries);
}

function readStep(entry: Entry): DecoderStep {
  const read: DecoderReader | undefined = Object.entries(decoderTypes).find(([type]) => type === entry.type)?.[1];
  if (read === undefined) {
    const known = [...Object.keys(decoderTypes), "Sequence"].join(", ");
    throw new UnsupportedError(`tokenizer.json: decoder ${entry.type} is not supported; known are ${known}`);
  }
  return read(entry);
}

/** `ByteLevel` makes one token of all, too. */
function fusedSteps(entry: Entry): DecoderStep[] {
  return entry.type === "ByteLevel" ? [byteLevel, fuse] : [readStep(entry)];
}

function worksOnParts(entry: Entry): boolean {
  return entry.type === "Fuse" || (entry.type === "Strip" && stripOf(entry).stop === 0);
}

function readPartStep(entry: Entry): DecoderStep {
  if (entry.type === "Fuse") return fusedAlready;
  const { content, start } = stripOf(entry);
  return strippingFront(content, start);
}

/** Parts of one token are one token already. */
const fusedAlready: DecoderStep = { open: () => ({ push: (part) => [part], end: () => [] }) };

function stripOf(entry: unknown): z.infer<typeof stripSchema> {
  return parseEntry(stripSchema, entry, "decoder Strip");
}

function readStrip(entry: unknown): DecoderStep {
  const { content, start, stop } = stripOf(entry);
  return stripping(content, start, stop);
}

function readReplace(entry: unknown): DecoderStep {
  const { pattern, content } = parseEntry(replaceSchema, entry, "decoder Replace");
  return replacing(patternOf(pattern), content);
}

function readWordPiece(entry: unknown): DecoderStep {
  const { prefix, cleanup } = parseEntry(wordPieceSchema, entry, "decoder WordPiece");
  return wordPieces(prefix, cleanup);
}

function readMetaspace(entry: unknown): DecoderStep {
  const { replacement, prepend_scheme, add_prefix_space } = parseEntry(metaspaceSchema, entry, "decoder Metaspace");
  return spaceMarks(replacement, (prepend_scheme ?? (add_prefix_space === false ? "never" : "always")) !== "never");
}

function readCtc(entry: unknown): DecoderStep {
  const { pad_token, word_delimiter_token, cleanup } = parseEntry(ctcSchema, entry, "decoder CTC");
  return ctc(pad_token, word_delimiter_token, cleanup);
}
