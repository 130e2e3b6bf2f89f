/** @file Reads a `pre_tokenizer` entry of tokenizer.json into steps: changes of the text, and cuts of what they make of it. */

import { z } from "zod";
import { parseEntry, typedSchema } from "../json-entry.js";
import { inByteAlphabet } from "../normalizers/byte-level.js";
import { prefixed } from "../normalizers/edges.js";
import { replaceString } from "../normalizers/replace.js";
import { changesInSequence, type TextChange } from "../text-change.js";
import { CharClasses } from "./char-classes.js";
import { Gpt2Pretokenizer } from "./gpt2.js";
import { readPretokenizer } from "./index.js";
import { inSequence, type Pretokenizer, wholeText } from "./pretokenizer.js";
import { beforeEachMark } from "./words.js";

/** Changes each stretch, then cuts it. A tokenizer's steps work on the pieces of the step before. */
export interface PretokenStep {
  readonly change?: TextChange | undefined;
  readonly pretokenizer: Pretokenizer;
}

type Entry = z.infer<typeof typedSchema>;

const sequenceSchema = z.strictObject({ type: z.literal("Sequence"), pretokenizers: z.array(typedSchema) });
const byteLevelSchema = z.strictObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: z.boolean(),
  trim_offsets: z.boolean().optional(),
  use_regex: z.boolean().default(true),
});
const metaspaceSchema = z.strictObject({
  type: z.literal("Metaspace"),
  replacement: z.string().length(1),
  str_rep: z.string().optional(),
  add_prefix_space: z.boolean().optional(),
  prepend_scheme: z.enum(["always", "first", "never"]).optional(),
  split: z.boolean().default(true),
});

/** The entries of a sequence, also of one within another. */
export function flattened(entry: Entry | null | undefined): Entry[] {
  if (!entry) return [];
  if (entry.type !== "Sequence") return [entry];
  return parseEntry(sequenceSchema, entry, "pre_tokenizer").pretokenizers.flatMap(flattened);
}

/**
 * The steps of entries in sequence.
 * @param endsInBytes leaves out the last entry's change to the byte alphabet, for a model that reads bytes itself.
 * @throws UnsupportedError on a type that is not known.
 */
export function readSteps(entries: readonly Entry[], endsInBytes = false): PretokenStep[] {
  const classes = new CharClasses();
  const parts = entries.flatMap((entry, i): PretokenStep[] => {
    if (entry.type === "ByteLevel") return byteLevel(entry, classes, endsInBytes && i === entries.length - 1);
    if (entry.type === "Metaspace") return [metaspace(entry)];
    return [{ pretokenizer: readPretokenizer(entry, classes) }];
  });
  return joined(parts);
}

function byteLevel(entry: Entry, classes: CharClasses, leavesBytes: boolean): PretokenStep[] {
  const { add_prefix_space, use_regex } = parseEntry(byteLevelSchema, entry, "pre_tokenizer ByteLevel");
  const change = add_prefix_space ? prefixed(" ", { onlyWhereMissing: true }) : undefined;
  const cut = { change, pretokenizer: use_regex ? new Gpt2Pretokenizer(classes) : wholeText };
  return leavesBytes ? [cut] : [cut, { change: inByteAlphabet, pretokenizer: wholeText }];
}

function metaspace(entry: Entry): PretokenStep {
  const options = parseEntry(metaspaceSchema, entry, "pre_tokenizer Metaspace");
  const scheme = options.prepend_scheme ?? (options.add_prefix_space === false ? "never" : "always");
  const changes = [replaceString(" ", options.replacement)];
  const first = scheme === "first" ? ({ first: "origin" } as const) : {};
  if (scheme !== "never") changes.push(prefixed(options.replacement, { onlyWhereMissing: true, ...first }));
  return {
    change: changesInSequence(changes),
    pretokenizer: options.split ? beforeEachMark(options.replacement) : wholeText,
  };
}

/** Cuts without a change between them are one step. */
function joined(parts: readonly PretokenStep[]): PretokenStep[] {
  const steps: { change: TextChange | undefined; cuts: Pretokenizer[] }[] = [{ change: undefined, cuts: [] }];
  for (const { change, pretokenizer } of parts) {
    if (change !== undefined) steps.push({ change, cuts: [] });
    if (pretokenizer !== wholeText) steps.at(-1)!.cuts.push(pretokenizer);
  }
  const useful = steps.filter(({ change, cuts }) => change !== undefined || cuts.length > 0);
  return (useful.length === 0 ? steps : useful).map(({ change, cuts }) => ({
    change,
    pretokenizer: cuts.length === 0 ? wholeText : inSequence(cuts),
  }));
}
