/** @file Tokenizers of GGUF metadata: made-up vocabularies, and llama.cpp's own with its test strings. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { readGguf } from "../../checkpoint/gguf/read.js";
import { byteCharacters } from "../algorithms/byte-alphabet.js";
import { toRegExp } from "../pretokenizers/regex-syntax.js";
import { bytePiece } from "../vocabulary.js";
import { ggufPretokenizers } from "./pretokenizers.js";
import { tokenizerFromGguf } from "./tokenizer.js";

const dataFolder = new URL("../../../../shared/data/tok-llamacpp-vocab/", import.meta.url);

const ggml = (entries: Readonly<Record<string, unknown>>): Map<string, unknown> =>
  new Map(Object.entries(entries).map(([name, value]) => [`tokenizer.ggml.${name}`, value]));

const bytes = Array.from({ length: 256 }, (_, byte) => bytePiece(byte));
const pieces = ["▁t", "he", "▁the", "▁", "t", "h", "e", "<ctl>", "<user>"];
const llama = ggml({
  model: "llama",
  tokens: ["<unk>", "<s>", "</s>", ...bytes, ...pieces],
  scores: [0, 0, 0, ...bytes.map(() => 0), -1, -2, -3, -4, -5, -6, -7, 0, 0],
  token_type: [2, 3, 3, ...bytes.map(() => 6), 1, 1, 1, 1, 1, 1, 1, 3, 4],
  bos_token_id: 1,
  eos_token_id: 2,
  unknown_token_id: 0,
});
const gpt2 = ggml({
  model: "gpt2",
  pre: "llama-bpe",
  tokens: [...byteCharacters, "Ġt", "he", "Ġthe", "the", "<|end|>"],
  token_type: [...byteCharacters.map(() => 1), 1, 1, 1, 1, 3],
  merges: ["Ġ t", "h e", "Ġt he"],
  bos_token_id: 260,
});
const bert = ggml({
  model: "bert",
  tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁the", "▁t", "ile", "s", "▁,"],
  token_type: [3, 2, 3, 3, 1, 1, 1, 1, 1],
  unknown_token_id: 1,
  cls_token_id: 2,
  seperator_token_id: 3,
});

const names = (metadata: ReadonlyMap<string, unknown>, text: string): (string | undefined)[] => {
  const tokenizer = tokenizerFromGguf(metadata);
  return Array.from(tokenizer.encode(text, { specialTokens: true }), (id) => tokenizer.token(id));
};

describe("tokenizerFromGguf", () => {
  it("reads SentencePiece: a space before the text and after special tokens, bytes for what is unknown", () => {
    expect(names(llama, "the é")).toEqual(["▁the", "▁", "<0xC3>", "<0xA9>"]);
    expect(names(llama, "<ctl>the<user>the")).toEqual(["<ctl>", "▁the", "<user>", "▁the"]);
    const tokenizer = tokenizerFromGguf(llama);
    expect(tokenizer.template).toEqual({ prefix: [1], suffix: [] });
    expect(tokenizer.decode(tokenizer.encode("the é"))).toBe("the é");
    expect(names(new Map([...llama, ["tokenizer.ggml.add_space_prefix", false]]), "the")).toEqual(["t", "he"]);
  });

  it("reads byte-level BPE with what its pre-tokenizer's name implies", () => {
    expect(names(gpt2, "the the<|end|>")).toEqual(["the", "Ġthe", "<|end|>"]);
    expect(tokenizerFromGguf(gpt2).template).toEqual({ prefix: [260], suffix: [] });
    const plain = new Map([...gpt2, ["tokenizer.ggml.pre", "gpt-2"]]);
    expect(names(plain, "the")).toEqual(["t", "he"]);
    expect(tokenizerFromGguf(plain).template).toEqual({ prefix: [], suffix: [] });
  });

  it("reads WordPiece, whose words the file marks", () => {
    expect(names(bert, "The tiles, x")).toEqual(["the", "t", "##ile", "##s", ",", "[UNK]"]);
    expect(tokenizerFromGguf(bert).template).toEqual({ prefix: [2], suffix: [3] });
    expect(names(new Map([...bert, ["tokenizer.ggml.normalizer.lowercase", false]]), "The the")).toEqual([
      "[UNK]",
      "the",
    ]);
  });

  it("reads Unigram", () => {
    const t5 = ggml({
      model: "t5",
      tokens: ["<pad>", "</s>", "<unk>", "▁the", "▁", "t", "he", "<extra>"],
      scores: Float32Array.of(0, 0, 0, -2, -3, -3, -3, 0),
      token_type: [3, 3, 2, 1, 1, 1, 1, 4],
      eos_token_id: 1,
      add_space_prefix: true,
      remove_extra_whitespaces: true,
      precompiled_charsmap: [],
    });
    expect(names(t5, "  the   the xx<extra>t")).toEqual(["▁the", "▁the", "▁", "<unk>", "<extra>", "▁", "t"]);
    expect(tokenizerFromGguf(t5).template).toEqual({ prefix: [], suffix: [1] });
  });

  it.each<[string, ReadonlyMap<string, unknown>, RegExp, typeof CheckpointError | typeof UnsupportedError]>([
    ["no tokenizer", new Map(), /expected tokenizer.ggml.model/, CheckpointError],
    ["another model", ggml({ model: "rwkv" }), /rwkv.*bert, gpt2, llama, t5/, UnsupportedError],
    [
      "an unknown pre-tokenizer",
      new Map([...gpt2, ["tokenizer.ggml.pre", "odd"]]),
      /pre odd.*llama-bpe/,
      UnsupportedError,
    ],
    [
      "no pre-tokenizer",
      new Map([...gpt2].filter(([key]) => !key.endsWith("pre"))),
      /pre is missing/,
      UnsupportedError,
    ],
    [
      "no merges",
      new Map([...gpt2].filter(([key]) => !key.endsWith("merges"))),
      /expected tokenizer.ggml.merges/,
      CheckpointError,
    ],
    [
      "too few scores",
      new Map([...llama, ["tokenizer.ggml.scores", [1]]]),
      /1 entries for 268 tokens/,
      CheckpointError,
    ],
    ["tokens that are no texts", new Map([...llama, ["tokenizer.ggml.tokens", [1]]]), /list of texts/, CheckpointError],
  ])("refuses %s", (_, metadata, message, kind) => {
    expect(() => tokenizerFromGguf(metadata)).toThrow(kind);
    expect(() => tokenizerFromGguf(metadata)).toThrow(message);
  });

  it("knows only pre-tokenizers that it can translate", () => {
    const text = "It's 12345 tiles,\n\n 长文本 naïve!  x\t";
    for (const { patterns } of Object.values(ggufPretokenizers)) {
      for (const pattern of patterns)
        expect(text.replace(toRegExp(pattern), "").length).toBeLessThanOrEqual(text.length);
    }
  });
});

describe.each(["bert-bge", "gpt-2", "llama-spm", "phi-3"])("llama.cpp's vocabulary %s", (name) => {
  const path = fileURLToPath(new URL(`ggml-vocab-${name}.gguf`, dataFolder));

  it.skipIf(!existsSync(path))("gives the expected ids of all test strings (needs ../shared/data)", async () => {
    await using file = await readGguf(path);
    const tokenizer = tokenizerFromGguf(file.metadata);
    const lines = readFileSync(`${path}.inp`, "utf8").split("\n__ggml_vocab_test__\n");
    const expected = readFileSync(`${path}.out`, "utf8").split("\n");
    expect(lines.length).toBeGreaterThan(40);
    lines.forEach((line, i) => {
      expect(Array.from(tokenizer.encode(line)).join(" "), JSON.stringify(line)).toBe(expected[i]!.trim());
    });
  });
});
