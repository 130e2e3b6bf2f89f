import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../base/errors.js";
import { Rng } from "../base/rng.js";
import { tokenizerFromLlama2c } from "./llama2c.js";
import { tokenizerFromJson, toTokenizerJson } from "./tokenizer-json.js";

const dataFolder = new URL("../../../shared/data/", import.meta.url);
const lacksData = !existsSync(new URL("llm-stories260k/tok512.bin", dataFolder));

interface Entry {
  readonly text: string;
  readonly score: number;
}

const bytePieces = Array.from({ length: 256 }, (_, byte) => ({
  text: `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  score: 0,
}));

/** Merged pieces first, as in real files, then the characters. */
function entries(...pieces: readonly string[]): Entry[] {
  const rest = pieces.map((text, i) => ({ text, score: -i }));
  return [
    { text: "<unk>", score: 0 },
    { text: "\n<s>\n", score: 0 },
    { text: "\n</s>\n", score: 0 },
    ...bytePieces,
    ...rest,
  ];
}

function fileOf(list: readonly Entry[]): Uint8Array {
  const texts = list.map(({ text }) => new TextEncoder().encode(text));
  const bytes = new Uint8Array(4 + texts.reduce((sum, text) => sum + 8 + text.length, 0));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, Math.max(...texts.map((text) => text.length)), true);
  let at = 4;
  list.forEach(({ score }, i) => {
    view.setFloat32(at, score, true);
    view.setInt32(at + 4, texts[i]!.length, true);
    bytes.set(texts[i]!, at + 8);
    at += 8 + texts[i]!.length;
  });
  return bytes;
}

/** What run.c does, step by step. */
function encodeAsRunC(list: readonly Entry[], text: string): number[] {
  if (text === "") return [];
  const idOf = (piece: string): number => list.findIndex((entry, id) => id > 258 && entry.text === piece);
  const ids = [...` ${text}`].flatMap((character) =>
    idOf(character) >= 0 ? [idOf(character)] : Array.from(new TextEncoder().encode(character), (byte) => byte + 3),
  );
  for (;;) {
    let best = { score: Number.NEGATIVE_INFINITY, id: -1, at: -1 };
    for (let at = 0; at + 1 < ids.length; at++) {
      const id = idOf(list[ids[at]!]!.text + list[ids[at + 1]!]!.text);
      if (id >= 0 && list[id]!.score > best.score) best = { score: list[id]!.score, id, at };
    }
    if (best.at < 0) return ids;
    ids.splice(best.at, 2, best.id);
  }
}

const pieces = [
  ..." t, th, the, he, in, ing,ing, ti, til, tile,le,   ,    ,  , tiles,é小".split(","),
  ..." abcdefghilnrst.,<>/\n小é",
];

describe("a tokenizer.bin", () => {
  it("encodes random texts as run.c does, and gives them back", () => {
    const list = entries(...pieces);
    const tokenizer = tokenizerFromLlama2c(fileOf(list));
    const rng = new Rng(12);
    const parts = [...pieces, "😀", "\u0000", "ü", "<s>", "</s>", "<unk>", "<0x41>", "\ufeff"];
    for (let round = 0; round < 500; round++) {
      const text = Array.from({ length: rng.below(12) }, () => parts[rng.below(parts.length)]).join("");
      const ids = tokenizer.encode(text);
      expect(Array.from(ids), text).toEqual(encodeAsRunC(list, text));
      expect(tokenizer.decode(ids)).toBe(text);
      expect(tokenizer.count(text)).toBe(ids.length);
    }
  });

  it("merges the leftmost of equally scored pairs, also across words where pieces do", () => {
    const list = entries("ab", "ba", "b a", " ", "a", "b").map((entry) =>
      entry.text === "ba" ? { ...entry, score: 0 } : entry,
    );
    const tokenizer = tokenizerFromLlama2c(fileOf(list));
    for (const text of ["aba", "bab", "ababa", "b ab a", "b b a"]) {
      expect(Array.from(tokenizer.encode(text)), text).toEqual(encodeAsRunC(list, text));
    }
  });

  it("gives spans that cover the source, the first without the space put in front", () => {
    const tokenizer = tokenizerFromLlama2c(fileOf(entries(...pieces)));
    const { ids, offsets } = tokenizer.encodeWithOffsets("the tile 😀");
    const spans = Array.from(ids, (id, i) => [tokenizer.token(id), offsets[2 * i], offsets[2 * i + 1]]);
    expect(spans).toEqual([
      [" the", 0, 3],
      [" tile", 3, 8],
      [" ", 8, 9],
      ["<0xF0>", 9, 11],
      ["<0x9F>", 9, 11],
      ["<0x98>", 9, 11],
      ["<0x80>", 9, 11],
    ]);
    expect(Array.from(tokenizer.encodeWithOffsets("xx").offsets.subarray(0, 4))).toEqual([0, 0, 0, 1]);
  });

  it("knows BOS and EOS, and takes them from text only when asked", () => {
    const tokenizer = tokenizerFromLlama2c(fileOf(entries(...pieces)));
    expect(tokenizer.template).toEqual({ prefix: [1], suffix: [] });
    expect([tokenizer.tokenId("</s>"), tokenizer.token(1), tokenizer.token(3)]).toEqual([2, "<s>", "<0x00>"]);
    expect(Array.from(tokenizer.encode("<s>"))).not.toContain(1);
    const ids = tokenizer.encode("<s>the tile</s>", { specialTokens: true });
    expect(Array.from(ids)).toEqual([1, ...tokenizer.encode("the tile"), 2]);
    expect(tokenizer.decode([1, ...tokenizer.encode("the"), 2, 1, ...tokenizer.encode("tile")])).toBe("thetile");
    expect(tokenizer.decode([1, 270], { keepSpecialTokens: true })).toMatch(/^<s>/);
  });

  it("decodes token by token; a prompt keeps the space of what follows", () => {
    const tokenizer = tokenizerFromLlama2c(fileOf(entries(...pieces)));
    const decoder = tokenizer.streamDecoder();
    const ids = tokenizer.encode("the tile 😀.");
    expect(Array.from(ids, (id) => decoder.push(id))).toEqual(["the", " tile", " ", "", "", "", "😀", "."]);
    expect(decoder.flush()).toBe("");
    decoder.push(3 + 0xf0);
    expect(decoder.flush()).toBe("\ufffd");
  });

  it("cuts where words end", () => {
    const tokenizer = tokenizerFromLlama2c(fileOf(entries(...pieces)));
    expect(tokenizer.truncate("the tile the tile", 0, 17, 3)).toBe(12);
    expect(tokenizer.truncate("the tile the tile", 4, 17, 1)).toBe(8);
    expect(tokenizer.truncate("zzzz", 0, 4, 3)).toBe(2);
  });

  it("rejects other files, saying where they go wrong", () => {
    const file = fileOf(entries("a"));
    expect(() => tokenizerFromLlama2c(file.subarray(0, file.length - 1))).toThrow(/token 259 at byte/);
    expect(() => tokenizerFromLlama2c(new Uint8Array(0))).toThrow(CheckpointError);
    expect(() => tokenizerFromLlama2c(fileOf([...entries(), { text: "a", score: 0 }].slice(1)))).toThrow(/<0x00>/);
    expect(() => tokenizerFromLlama2c(fileOf(entries().slice(0, 100)))).toThrow(/at least 259 tokens.*100/);
  });

  it("reads to the same ids when written as tokenizer.json", () => {
    const tokenizer = tokenizerFromLlama2c(fileOf(entries(...pieces)));
    const again = tokenizerFromJson(toTokenizerJson(tokenizer));
    for (const text of ["the tile 😀", "tiles  tell\n<s>", "é小 x"])
      expect(again.encode(text)).toEqual(tokenizer.encode(text));
  });
});

describe("real files", () => {
  const read = (path: string): Uint8Array => readFileSync(new URL(path, dataFolder));
  const text = (path: string): string => readFileSync(new URL(path, dataFolder), "utf8");

  it.skipIf(lacksData)("tok512 encodes a story's beginning as the model's author did", () => {
    const tokenizer = tokenizerFromLlama2c(read("llm-stories260k/tok512.bin"));
    expect(tokenizer.vocabSize).toBe(512);
    expect(Array.from(tokenizer.encode("Once upon a time"))).toEqual([403, 407, 261, 378]);
  });

  it.skipIf(lacksData)("Llama 2's encodes llama.cpp's test strings to the ids that llama.cpp expects", () => {
    const tokenizer = tokenizerFromLlama2c(read("tok-llama2-spm/tokenizer.bin"));
    const vocabulary = "tok-llamacpp-vocab/ggml-vocab-llama-spm.gguf";
    const lines = text(`${vocabulary}.inp`).split("\n__ggml_vocab_test__\n");
    const expected = text(`${vocabulary}.out`).split("\n");
    lines.forEach((line, i) => {
      expect(Array.from(tokenizer.encode(line)).join(" "), JSON.stringify(line)).toBe(expected[i]!.trim());
    });
  });
});
