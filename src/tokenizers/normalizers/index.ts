/** @file The normalisers of tokenizer.json by type, and how their descriptions are read. */

import { z } from "zod";
import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { parseEntry, typedSchema } from "../json-entry.js";
import { patternOf, patternSchema } from "../pretokenizers/regex-syntax.js";
import { changesInSequence, type TextChange } from "../text-change.js";
import { BertNormalizer } from "./bert.js";
import { lowercase, nmt, stripAccents } from "./by-character.js";
import { inByteAlphabet } from "./byte-level.js";
import { Charsmap } from "./charsmap.js";
import { prefixed, strip } from "./edges.js";
import { PrecompiledNormalizer } from "./precompiled.js";
import { replacePattern, replaceString } from "./replace.js";
import { UnicodeNormalizer } from "./unicode-forms.js";

type NormalizerReader = (entry: unknown) => TextChange | undefined;

const sequenceSchema = z.strictObject({ type: z.literal("Sequence"), normalizers: z.array(typedSchema) });
const bertSchema = z.strictObject({
  type: z.literal("BertNormalizer"),
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean().default(true),
});
const stripSchema = z.strictObject({ type: z.literal("Strip"), strip_left: z.boolean(), strip_right: z.boolean() });
const prependSchema = z.strictObject({ type: z.literal("Prepend"), prepend: z.string() });
const replaceSchema = z.strictObject({ type: z.literal("Replace"), pattern: patternSchema, content: z.string() });
const precompiledSchema = z.strictObject({
  type: z.literal("Precompiled"),
  precompiled_charsmap: z.string().nullish(),
});

/** Normalisers by their type in tokenizer.json. */
export const normalizerTypes = {
  BertNormalizer: readBert,
  ByteLevel: () => inByteAlphabet,
  Lowercase: () => lowercase,
  NFC: () => new UnicodeNormalizer("NFC"),
  NFD: () => new UnicodeNormalizer("NFD"),
  NFKC: () => new UnicodeNormalizer("NFKC"),
  NFKD: () => new UnicodeNormalizer("NFKD"),
  Nmt: () => nmt,
  Precompiled: readPrecompiled,
  Prepend: (entry) => prefixed(parseEntry(prependSchema, entry, "normalizer Prepend").prepend),
  Replace: readReplace,
  Sequence: readSequence,
  Strip: readStrip,
  StripAccents: () => stripAccents,
} as const satisfies Record<string, NormalizerReader>;

/**
 * The normaliser that an entry of tokenizer.json describes; undefined when it changes nothing.
 * @throws UnsupportedError on a type that is not in the registry.
 */
export function readNormalizer(entry: { readonly type: string } | null | undefined): TextChange | undefined {
  if (!entry) return undefined;
  const read: NormalizerReader | undefined = Object.entries(normalizerTypes).find(([type]) => type === entry.type)?.[1];
  if (read === undefined) {
    const known = Object.keys(normalizerTypes).join(", ");
    throw new UnsupportedError(`tokenizer.json: normalizer ${entry.type} is not supported; known are ${known}`);
  }
  return read(entry);
}

function readSequence(entry: unknown): TextChange | undefined {
  const { normalizers } = parseEntry(sequenceSchema, entry, "normalizer");
  return changesInSequence(normalizers.flatMap((part) => readNormalizer(part) ?? []));
}

function readBert(entry: unknown): TextChange {
  const options = parseEntry(bertSchema, entry, "normalizer BertNormalizer");
  return new BertNormalizer({
    cleansText: options.clean_text,
    separatesChinese: options.handle_chinese_chars,
    stripsAccents: options.strip_accents ?? options.lowercase,
    lowercases: options.lowercase,
  });
}

function readStrip(entry: unknown): TextChange {
  const { strip_left: left, strip_right: right } = parseEntry(stripSchema, entry, "normalizer Strip");
  return strip(left, right);
}

function readReplace(entry: unknown): TextChange {
  const { pattern, content } = parseEntry(replaceSchema, entry, "normalizer Replace");
  return "String" in pattern && pattern.String !== ""
    ? replaceString(pattern.String, content)
    : replacePattern(patternOf(pattern), content);
}

/** Files without a table say so with null or an empty string. */
function readPrecompiled(entry: unknown): TextChange | undefined {
  const base64 = parseEntry(precompiledSchema, entry, "normalizer Precompiled").precompiled_charsmap;
  if (!base64) return undefined;
  let binary: string;
  try {
    binary = atob(base64);
  } catch (error) {
    throw new CheckpointError("tokenizer.json: normalizer Precompiled: expected precompiled_charsmap in base64", {
      cause: error,
    });
  }
  return new PrecompiledNormalizer(new Charsmap(Uint8Array.from(binary, (character) => character.charCodeAt(0))));
}
