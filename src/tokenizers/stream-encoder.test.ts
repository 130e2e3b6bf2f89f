import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import { tokenizerFromLlama2c } from "./llama2c.js";
import { tokenizerFromSentencePiece } from "./sentencepiece/tokenizer.js";
import type { Tokenizer } from "./tokenizer.js";
import { tokenizerFromJson, toTokenizerJson } from "./tokenizer-json.js";
import { bpePretokenizers, trainByteLevelBpe } from "./train.js";

const corpus = [
  "The tiles are laid row by row, and the rows are laid tile by tile. It's what we've done since 1998.\n\n",
  "把长文本切成小块，再把小块拼起来。 naïve café — 😀😀 cafe\u0301 = \u2260   x",
  "```ts\nfor (const tile of tiles) {\n  lay(tile);\n}\n```\n\n\n| a | b |\n|---|---|\n",
  " \t\r\n\u00a0\u3000'' 'RE 'll 12 </t> 1≠ \ud800 \udc00𝒳 __ <s> .  . ",
];

function randomText(rng: Rng): string {
  return Array.from({ length: 8 }, () => {
    const text = corpus[rng.below(corpus.length)]!;
    return text.slice(rng.below(text.length)).slice(0, 1 + rng.below(60));
  }).join("");
}

/** Ids of a text that comes in pieces cut anywhere, and the most characters that were held back at the end of one. */
function streamed(tokenizer: Tokenizer, text: string, rng: Rng, most: number) {
  const encoder = tokenizer.streamEncoder();
  const ids: number[] = [];
  for (let at = 0; at < text.length; ) {
    const size = rng.below(most);
    ids.push(...encoder.push(text.slice(at, at + size)));
    at += size;
  }
  const rest = encoder.flush();
  return { ids: [...ids, ...rest], numBefore: ids.length };
}

/** The share of ids that came before the end. */
function checkedShare(tokenizer: Tokenizer, rounds = 150): number {
  const rng = new Rng(8);
  let [before, all] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const text = randomText(rng);
    const { ids, numBefore } = streamed(tokenizer, text, rng, 2 + rng.below(30));
    expect(ids, JSON.stringify(text)).toEqual([...tokenizer.encode(text)]);
    before += numBefore;
    all += ids.length;
  }
  return before / all;
}

describe("a text in pieces has the ids of the whole", () => {
  it.each(Object.keys(bpePretokenizers) as (keyof typeof bpePretokenizers)[])("with words as %s", (pretokenizer) => {
    const trained = trainByteLevelBpe(corpus, { vocabSize: 500, pretokenizer });
    expect(checkedShare(trained)).toBeGreaterThan(0.5);
    const normalizer = { type: "NFC" };
    const composing = tokenizerFromJson(JSON.stringify({ ...JSON.parse(toTokenizerJson(trained)), normalizer }));
    expect(checkedShare(composing)).toBeGreaterThan(0.5);
  });

  interface Golden {
    readonly models: Record<string, unknown>;
    readonly cases: { readonly model: string; readonly settings: Record<string, unknown> }[];
  }
  const path = new URL("../../test/golden/tokenizers/components.json", import.meta.url);
  const { models, cases }: Golden = JSON.parse(readFileSync(path, "utf8"));

  it("with every kind of component", () => {
    for (const { model, settings } of cases)
      checkedShare(tokenizerFromJson(JSON.stringify({ ...settings, model: models[model] })), 12);
  });

  it.each([
    ["first", 0.5],
    ["always", 0.5],
    ["never", 0.5],
  ] as const)("with a mark before the words, prepended %s", (prepend_scheme, share) => {
    const pre_tokenizer = { type: "Metaspace", replacement: "▁", prepend_scheme };
    const plain = { ...cases[0]!.settings, normalizer: null, added_tokens: [], model: models.unigram };
    expect(checkedShare(tokenizerFromJson(JSON.stringify({ ...plain, pre_tokenizer })))).toBeGreaterThan(share);
  });

  it("holds back to the end what has no sure place to be cut", () => {
    const plain = {
      ...cases[0]!.settings,
      normalizer: null,
      pre_tokenizer: null,
      added_tokens: [],
      model: models.unigram,
    };
    expect(checkedShare(tokenizerFromJson(JSON.stringify(plain)), 20)).toBe(0);
  });

  it("begins anew after a text", () => {
    const encoder = trainByteLevelBpe(corpus, { vocabSize: 500 }).streamEncoder();
    const pieces = [encoder.push("one two"), encoder.flush(), encoder.push("one two"), encoder.flush()];
    expect(pieces[2]).toEqual(pieces[0]);
    expect(pieces[3]).toEqual(pieces[1]);
    expect(encoder.flush()).toHaveLength(0);
  });
});

const data = new URL("../../../shared/data/", import.meta.url);
const bytesOf = (name: string): Uint8Array => readFileSync(new URL(name, data));
const jsonOf = (name: string) => tokenizerFromJson(readFileSync(new URL(name, data), "utf8"));

describe.skipIf(!existsSync(data))("the same of real tokenizers (skipped where shared/data is absent)", () => {
  it.each([
    ["llama2.c", () => tokenizerFromLlama2c(bytesOf("llm-stories260k/tok512.bin"))],
    ["Llama 2", () => tokenizerFromSentencePiece(bytesOf("tok-llama2-spm/tokenizer.model"))],
    ["GPT-2", () => jsonOf("tok-gpt2/tokenizer.json")],
    ["SmolLM", () => jsonOf("tok-smollm/tokenizer.json")],
    ["BERT", () => jsonOf("tok-bert-uncased/tokenizer.json")],
  ] as const)("%s", (_, load) => {
    expect(checkedShare(load())).toBeGreaterThan(0.5);
  });
});
