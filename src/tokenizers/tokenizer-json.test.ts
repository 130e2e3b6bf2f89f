import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError, UnsupportedError } from "../base/errors.js";
import { tokenizerFromJson, toTokenizerJson } from "./tokenizer-json.js";
import { trainByteLevelBpe } from "./train.js";

type Json = Record<string, unknown>;

interface Golden {
  readonly corpus: string[];
  readonly settings: { vocabSize: number; minFrequency: number; specialTokens: string[] };
  readonly file: Json & { model: Json & { vocab: Record<string, number>; merges: [string, string][] } };
  readonly lines: string[];
  readonly expected: Record<
    string,
    {
      pre_tokenizer: Json;
      normalizer: Json | null;
      ids: number[][];
      idsWithSpecialTokens: number[][];
      offsets: [number, number][][];
      text: string[];
    }
  >;
}

const golden: Golden = JSON.parse(readFileSync(new URL("golden/byte-level-bpe.json", import.meta.url), "utf8"));
const dataFolder = new URL("../../../shared/data/", import.meta.url);
const lacksData = !existsSync(new URL("tok-gpt2/tokenizer.json", dataFolder));

function variant(changes: Json, modelChanges: Json = {}): string {
  return JSON.stringify({ ...golden.file, ...changes, model: { ...golden.file.model, ...modelChanges } });
}

describe("against Hugging Face's tokenizers", () => {
  it("learns the same vocabulary and merges", () => {
    const written = JSON.parse(toTokenizerJson(trainByteLevelBpe(golden.corpus, golden.settings)));
    expect(written.model.vocab).toEqual(golden.file.model.vocab);
    expect(written.model.merges).toEqual(golden.file.model.merges);
  });

  describe.each(Object.entries(golden.expected))("%s", (name, expected) => {
    const { pre_tokenizer, normalizer } = expected;
    const tokenizer = tokenizerFromJson(variant({ pre_tokenizer, normalizer }));

    it("gives the same ids and text", () => {
      golden.lines.forEach((line, i) => {
        expect(Array.from(tokenizer.encode(line)), line).toEqual(expected.ids[i]);
        expect(Array.from(tokenizer.encode(line, { specialTokens: true })), line).toEqual(
          expected.idsWithSpecialTokens[i],
        );
        expect(tokenizer.count(line)).toBe(expected.ids[i]!.length);
        expect(tokenizer.decode(expected.ids[i]!)).toBe(expected.text[i]);
      });
    });

    // with a prefix or a normaliser the conventions differ: see Encoding
    it.skipIf(name === "prefix" || name === "qwen2")("gives the same spans", () => {
      golden.lines.forEach((line, i) => {
        const units = [0];
        for (const character of line) units.push(units.at(-1)! + character.length);
        const spans = expected.offsets[i]!.flat().map((codePoint) => units[codePoint]);
        expect(Array.from(tokenizer.encodeWithOffsets(line).offsets), line).toEqual(spans);
      });
    });
  });
});

describe("toTokenizerJson", () => {
  it("writes what reads to the same", () => {
    const written = toTokenizerJson(tokenizerFromJson(JSON.stringify(golden.file)));
    expect(JSON.parse(written)).toEqual(golden.file);
    expect(toTokenizerJson(tokenizerFromJson(written))).toBe(written);
  });

  it("keeps tokens named like properties of objects", () => {
    const odd = ["__proto__", "constructor", "toString", "12"];
    const tokenizer = trainByteLevelBpe(Array(9).fill(odd.join(" ")), { vocabSize: 300 });
    const again = tokenizerFromJson(toTokenizerJson(tokenizer));
    for (const word of odd) expect(again.encode(word)).toEqual(tokenizer.encode(word));
    expect(again.tokenId("constructor")).toBe(tokenizer.tokenId("constructor"));
    expect(again.tokenId("__")).toBe(tokenizer.tokenId("__"));
  });
});

describe("tokenizerFromJson", () => {
  const byteLevel = golden.expected.gpt2!.pre_tokenizer;
  const sequence = (...pretokenizers: Json[]): Json => ({ type: "Sequence", pretokenizers });

  it.each<[string, Json, Json, RegExp]>([
    ["another model", {}, { type: "Odd" }, /Odd.*BPE, Unigram, WordLevel, WordPiece/],
    ["dropout", {}, { dropout: 0.1 }, /dropout 0.1/],
    [
      "a suffix with bytes",
      {},
      { byte_fallback: true, end_of_word_suffix: "</w>" },
      /byte_fallback.*end_of_word_suffix/,
    ],
    ["another pre-tokenizer", { pre_tokenizer: { type: "Odd" } }, {}, /pre-tokenizer Odd.*Metaspace/],
    ["one among others", { pre_tokenizer: sequence({ type: "Odd" }, byteLevel) }, {}, /Odd.*Digits/],
    ["another normaliser", { normalizer: { type: "Odd" } }, {}, /normalizer Odd.*NFC/],
    ["another decoder", { decoder: { type: "Odd" } }, {}, /decoder Odd.*WordPiece/],
    ["another post-processor", { post_processor: { type: "Odd" } }, {}, /post_processor Odd/],
  ])("says that %s is not supported", (_what, changes, modelChanges, message) => {
    const read = (): unknown => tokenizerFromJson(variant(changes, modelChanges));
    expect(read).toThrow(UnsupportedError);
    expect(read).toThrow(message);
  });

  it.each<[string, string, RegExp]>([
    ["text that is not JSON", "{", /not JSON/],
    ["JSON that is something else", "[]", /expected object/],
    ["an unknown setting", variant({ surprise: 1 }), /surprise/],
    ["an unknown setting of the model", variant({}, { surprise: 1 }), /surprise/],
    ["a merge of nothing", variant({}, { merges: ["a qqq"] }), /"a qqq"/],
    ["a merge into nothing", variant({}, { merges: ["q q"] }), /merge 0 makes "qq"/],
    ["ids that are not numbers", variant({}, { vocab: { a: "1" } }), /vocab/],
    ["ids beyond reason", variant({}, { vocab: { a: 1e9 } }), /vocab/],
    [
      "an unknown token that is not there",
      variant({}, { unk_token: "?", vocab: { a: 0 }, merges: [] }),
      /unk_token is "\?"/,
    ],
    [
      "a damaged table",
      variant({ normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } }),
      /precompiled_charsmap/,
    ],
    [
      "a table that is not base64",
      variant({ normalizer: { type: "Precompiled", precompiled_charsmap: "*" } }),
      /base64/,
    ],
    [
      "an added token that contradicts the model",
      variant({ added_tokens: [{ ...(golden.file.added_tokens as Json[])[0], id: 7 }] }),
      /<\|endoftext\|> has id 7/,
    ],
  ])("rejects %s", (_what, text, message) => {
    expect(() => tokenizerFromJson(text)).toThrow(CheckpointError);
    expect(() => tokenizerFromJson(text)).toThrow(message);
  });

  it("reads files of the library's first years, which do not say of what type the model is", () => {
    const { type: _, ...untyped } = golden.file.model;
    const tokenizer = tokenizerFromJson(JSON.stringify({ ...golden.file, model: untyped }));
    expect(Array.from(tokenizer.encode(golden.lines[0]!))).toEqual(golden.expected.gpt2!.ids[0]);
  });

  it("puts no space before nothing", () => {
    const { pre_tokenizer } = golden.expected.prefix!;
    expect(tokenizerFromJson(variant({ pre_tokenizer, added_tokens: [] })).encode("")).toHaveLength(0);
  });

  it("reads merges of both notations", () => {
    const merges = golden.file.model.merges.map((pair) => pair.join(" "));
    const tokenizer = tokenizerFromJson(variant({}, { merges }));
    expect(Array.from(tokenizer.encode(golden.lines[0]!))).toEqual(golden.expected.gpt2!.ids[0]);
  });

  it("takes whole words that are tokens when the file ignores merges", () => {
    const merges = golden.file.model.merges.slice(0, 3);
    const word = "Ġtile";
    const read = (ignore_merges: boolean) => tokenizerFromJson(variant({}, { merges, ignore_merges }));
    expect(Array.from(read(true).encode(" tile"))).toEqual([golden.file.model.vocab[word]]);
    expect(read(false).encode(" tile").length).toBeGreaterThan(1);
  });

  it("leaves out bytes that the vocabulary lacks, and keeps the spans of the others", () => {
    const lacking = Object.fromEntries(Object.entries(golden.file.model.vocab).filter(([token]) => token !== "Ā"));
    const tokenizer = tokenizerFromJson(variant({}, { vocab: lacking }));
    expect(tokenizer.model).toHaveProperty("missingBytes", [0]);
    const { offsets } = tokenizer.encodeWithOffsets("\0q\0\0x");
    expect(Array.from(offsets)).toEqual([1, 2, 4, 5]);
    expect(tokenizer.count("\0q\0\0x")).toBe(2);
  });

  it("gives the template of a post-processor, and adds nothing of it", () => {
    const single = [{ SpecialToken: { id: "B", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }];
    const template = { type: "TemplateProcessing", single, pair: [], special_tokens: { B: { id: "B", ids: [0] } } };
    const post_processor = { type: "Sequence", processors: [{ type: "ByteLevel" }, template] };
    const tokenizer = tokenizerFromJson(variant({ post_processor }));
    expect(tokenizer.template).toEqual({ prefix: [0], suffix: [] });
    expect(Array.from(tokenizer.encode(golden.lines[0]!))).toEqual(golden.expected.gpt2!.ids[0]);
    const roberta = { type: "RobertaProcessing", cls: ["<s>", 0], sep: ["</s>", 2] };
    expect(tokenizerFromJson(variant({ post_processor: roberta })).template).toEqual({ prefix: [0], suffix: [2] });
  });

  it("finds added tokens as their flags say", () => {
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
    const added_tokens = [
      { ...flags, id: 400, content: "<tool>" },
      { ...flags, id: 401, content: "word", single_word: true },
      { ...flags, id: 402, content: "<mask>", lstrip: true, rstrip: true },
      { ...flags, id: 403, content: "é!", normalized: true },
      { ...flags, id: 404, content: "<tool><tool>", special: true },
    ];
    const tokenizer = tokenizerFromJson(variant({ added_tokens, normalizer: { type: "NFC" } }));
    const found = (text: string, specialTokens = false): string[] => {
      const { ids, offsets } = tokenizer.encodeWithOffsets(text, { specialTokens });
      return [...ids].flatMap((id, i) => (id >= 400 ? [`${id}:${offsets[2 * i]}-${offsets[2 * i + 1]}`] : []));
    };
    expect(found("a<tool>b")).toEqual(["400:1-7"]);
    expect(found("<tool><tool>", true)).toEqual(["404:0-12"]);
    expect(found("word words sword word")).toEqual(["401:0-4", "401:17-21"]);
    expect(found("a  <mask> \n b")).toEqual(["402:1-12"]);
    expect(found("ae\u0301! é!")).toEqual(["403:1-4", "403:5-7"]);
    expect(tokenizer.count("a  <mask> \n b")).toBe(tokenizer.encode("a  <mask> \n b").length);
    expect(tokenizer.decode([400, 404])).toBe("<tool>");
    expect(tokenizer.vocabSize).toBe(405);
    expect(tokenizer.truncate("a<tool>b", 0, 8, 2)).toBe(7);
  });
});

describe("real files", () => {
  const read = (path: string): string => readFileSync(new URL(path, dataFolder), "utf8");

  it.skipIf(lacksData)("GPT-2 encodes llama.cpp's test strings to the ids that llama.cpp expects", () => {
    const tokenizer = tokenizerFromJson(read("tok-gpt2/tokenizer.json"));
    const vocabulary = "tok-llamacpp-vocab/ggml-vocab-gpt-2.gguf";
    const lines = read(`${vocabulary}.inp`).split("\n__ggml_vocab_test__\n");
    const expected = read(`${vocabulary}.out`).split("\n");
    expect(lines.length).toBeGreaterThan(40);
    lines.forEach((line, i) => {
      expect(Array.from(tokenizer.encode(line)).join(" "), JSON.stringify(line)).toBe(expected[i]!.trim());
    });
  });

  it.skipIf(lacksData)("SmolLM cuts numbers into digits and gives texts back", () => {
    const tokenizer = tokenizerFromJson(read("tok-smollm/tokenizer.json"));
    expect(tokenizer.specialTokens.get("<|im_start|>")).toBe(1);
    const text = read("data-chunking-eval/corpora/wikitexts.md").slice(0, 50_000);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.count("2024")).toBe(4);
    expect(tokenizer.count(text)).toBe(tokenizer.encode(text).length);
  });
});
