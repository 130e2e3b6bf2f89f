/** @file Tokenizers of random settings against Hugging Face's library; made by tools/golden/tokenizer_components.py. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { encodePair, encodeSingle } from "./templates.js";
import type { Tokenizer } from "./tokenizer.js";
import { tokenizerFromJson, toTokenizerJson } from "./tokenizer-json.js";

type Json = Record<string, unknown>;

interface Case {
  readonly model: string;
  readonly settings: Json & { pre_tokenizer: Json | null; normalizer: Json | null; decoder: Json | null };
  readonly ids: number[][];
  /** In code points. */
  readonly offsets: number[][];
  readonly text: string[];
  readonly all: string[];
}

function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test/golden/tokenizers/${name}.json`, import.meta.url), "utf8"));
}

const { models, lines, cases } = golden<{ models: Record<string, Json>; lines: string[]; cases: Case[] }>("components");
const templates =
  golden<{ name: string; file: Json; single: number[]; pair: number[]; pairTypes: number[] }[]>("templates");

function fileOf({ model, settings }: Case): Json {
  return { ...settings, model: models[model] };
}

const typesOf = (entry: Json | null): string =>
  [...JSON.stringify(entry).matchAll(/"type":"(\w+)"/g)].map(([, type]) => type).join(" ");

/** Spans are the library's where it has a place in the source for every character; see Encoding for those it invents. */
function hasEqualSpans({ model, settings: { pre_tokenizer, normalizer } }: Case): boolean {
  if (model === "unigram bytes") return false; // each byte has its character, not all that was unknown in a row
  const changes = typesOf(normalizer) + typesOf(pre_tokenizer) + JSON.stringify(pre_tokenizer);
  return !/NF|Prepend|ByteLevel|Bert|Replace|Metaspace|add_prefix_space":true/.test(
    changes.replaceAll("BertPreTokenizer", ""),
  );
}

function unitsOf(line: string): number[] {
  const units = [0];
  for (const character of line) units.push(units.at(-1)! + character.length);
  return units;
}

function streamed(tokenizer: Tokenizer, ids: readonly number[]): string {
  const decoder = tokenizer.streamDecoder();
  return ids.map((id) => decoder.push(id)).join("") + decoder.flush();
}

describe.each(
  cases.map(
    (one, i) =>
      [
        `${i}: ${one.model}, ${typesOf(one.settings.normalizer)}, ${typesOf(one.settings.pre_tokenizer)}, ${typesOf(one.settings.decoder)}`,
        one,
      ] as const,
  ),
)("%s", (_, one) => {
  const tokenizer = tokenizerFromJson(JSON.stringify(fileOf(one)));

  it("gives the library's ids, and counts them", () => {
    lines.forEach((line, i) => {
      expect(Array.from(tokenizer.encode(line, { specialTokens: true })), JSON.stringify(line)).toEqual(one.ids[i]);
      expect(tokenizer.count(line), JSON.stringify(line)).toBe(tokenizer.encode(line).length);
    });
  });

  it("gives spans within the text, the library's where nothing was invented", () => {
    lines.forEach((line, i) => {
      const { ids, offsets } = tokenizer.encodeWithOffsets(line, { specialTokens: true });
      expect(Array.from(ids)).toEqual(one.ids[i]);
      const units = unitsOf(line);
      const expected = one.offsets[i]!.map((codePoint) => units[codePoint]!);
      if (hasEqualSpans(one)) expect(Array.from(offsets), JSON.stringify(line)).toEqual(expected);
      for (let k = 0; k < offsets.length; k += 2) {
        expect(offsets[k]).toBeGreaterThanOrEqual(0);
        expect(offsets[k + 1]).toBeGreaterThanOrEqual(offsets[k]!);
        expect(offsets[k + 1]).toBeLessThanOrEqual(line.length);
      }
    });
  });

  it("decodes to the library's text, at once and token by token", () => {
    one.ids.forEach((ids, i) => {
      expect(tokenizer.decode(ids), JSON.stringify(lines[i])).toBe(one.text[i]);
      expect(tokenizer.decode(ids, { keepSpecialTokens: true })).toBe(one.all[i]);
      expect(streamed(tokenizer, ids)).toBe(one.text[i]);
    });
  });

  it("reads to the same again when written", () => {
    const again = tokenizerFromJson(toTokenizerJson(tokenizer));
    for (const line of lines) expect(again.encode(line)).toEqual(tokenizer.encode(line));
    expect(toTokenizerJson(again)).toBe(toTokenizerJson(tokenizer));
  });
});

describe("templates", () => {
  it.each(templates)("$name: one text and two", ({ file, single, pair, pairTypes }) => {
    const tokenizer = tokenizerFromJson(JSON.stringify(file));
    expect(Array.from(encodeSingle(tokenizer, "the tiles").ids)).toEqual(single);
    const { ids, typeIds } = encodePair(tokenizer, "the tiles", "by row");
    expect(Array.from(ids)).toEqual(pair);
    expect(Array.from(typeIds)).toEqual(pairTypes);
  });
});
