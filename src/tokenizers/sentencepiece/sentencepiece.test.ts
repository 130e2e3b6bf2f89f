/** @file SentencePiece models against that library; made by tools/golden/tokenizer_components.py. */

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { readSentencePieceModel } from "./model-file.js";
import { tokenizerFromSentencePiece } from "./tokenizer.js";

interface Goldens {
  readonly lines: string[];
  readonly cases: {
    readonly name: string;
    readonly model: string;
    readonly ids: number[][];
    readonly text: string[];
  }[];
}

const path = new URL("../../../test/golden/tokenizers/sentencepiece.json", import.meta.url);
const { lines, cases }: Goldens = JSON.parse(readFileSync(path, "utf8"));
const dataFolder = new URL("../../../../shared/data/", import.meta.url);
const lacksData = !existsSync(new URL("tok-sentencepiece/test_model.model", dataFolder));

const bytesOf = (model: string): Uint8Array => Uint8Array.from(Buffer.from(model, "base64"));

describe.each(cases)("$name", ({ model, ids, text }) => {
  const tokenizer = tokenizerFromSentencePiece(bytesOf(model));

  it("gives the library's ids, counts them and decodes them to its text", () => {
    lines.forEach((line, i) => {
      expect(Array.from(tokenizer.encode(line)), JSON.stringify(line)).toEqual(ids[i]);
      expect(tokenizer.count(line)).toBe(ids[i]!.length);
      expect(tokenizer.decode(ids[i]!), JSON.stringify(line)).toBe(text[i]);
      const decoder = tokenizer.streamDecoder();
      expect(ids[i]!.map((id) => decoder.push(id)).join("") + decoder.flush()).toBe(text[i]);
    });
  });

  it("gives spans that lie in the source in order", () => {
    for (const line of lines) {
      const encoding = tokenizer.encodeWithOffsets(line);
      expect(encoding.ids).toEqual(tokenizer.encode(line));
      let last = 0;
      encoding.offsets.forEach((place, k) => {
        if (k % 2 === 0) expect(place).toBeGreaterThanOrEqual(0);
        expect(place).toBeGreaterThanOrEqual(k % 2 === 0 ? last : encoding.offsets[k - 1]!);
        expect(place).toBeLessThanOrEqual(line.length);
        if (k % 2 === 0) last = place;
      });
    }
  });

  it("takes control pieces from a text only when asked", () => {
    const special = new Set(tokenizer.specialTokens.values());
    expect(special.size).toBeGreaterThanOrEqual(2);
    const attack = [...tokenizer.specialTokens.keys()].join(" tile ");
    expect([...tokenizer.encode(attack)].filter((id) => special.has(id))).toEqual([]);
    const asked = [...tokenizer.encode(attack, { specialTokens: true })].filter((id) => special.has(id));
    expect(asked).toEqual([...special]);
  });
});

describe("a damaged model file", () => {
  const bytes = bytesOf(cases[0]!.model);

  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["the beginning of a file", bytes.subarray(0, bytes.length - 7)],
    ["other data", new TextEncoder().encode('{"version": "1.0"}')],
    ["a length beyond the file", Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0x7f, 1)],
    ["a number without an end", Uint8Array.of(0x18, ...Array(12).fill(0xff))],
  ])("is refused: %s", (_, damaged) => {
    expect(() => tokenizerFromSentencePiece(damaged)).toThrow(CheckpointError);
  });

  it("never breaks anything but itself", () => {
    const rng = new Rng(9);
    for (let round = 0; round < 300; round++) {
      const damaged = bytes.slice();
      for (let i = rng.below(4); i >= 0; i--) damaged[rng.below(damaged.length)] = rng.below(256);
      try {
        tokenizerFromSentencePiece(damaged).encode("the tiles");
      } catch (error) {
        if (!(error instanceof CheckpointError || error instanceof UnsupportedError)) throw error;
      }
    }
  });

  it("says which algorithm is not supported", () => {
    // field 2 (trainer_spec), in it field 3 (model_type) with the value 9
    const odd = Uint8Array.of(...bytes, 0x12, 2, 0x18, 9);
    expect(() => readSentencePieceModel(odd)).toThrow(UnsupportedError);
    expect(() => readSentencePieceModel(odd)).toThrow(/model_type 9.*unigram, bpe, word, char/);
  });
});

describe("real models", () => {
  const read = (name: string): Uint8Array => readFileSync(new URL(name, dataFolder));

  it.skipIf(lacksData)(
    "encode llama.cpp's test strings to the ids that it expects: Llama 2 (needs ../shared/data)",
    () => {
      const tokenizer = tokenizerFromSentencePiece(read("tok-llama2-spm/tokenizer.model"));
      const vocabulary = "tok-llamacpp-vocab/ggml-vocab-llama-spm.gguf";
      const text = (name: string): string => new TextDecoder().decode(read(name));
      const expected = text(`${vocabulary}.out`).split("\n");
      text(`${vocabulary}.inp`)
        .split("\n__ggml_vocab_test__\n")
        .forEach((line, i) => {
          expect(Array.from(tokenizer.encode(line)).join(" "), JSON.stringify(line)).toBe(expected[i]!.trim());
        });
    },
  );

  it.skipIf(lacksData)("read the charsmap of nmt_nfkc: English and Japanese Unigram (needs ../shared/data)", () => {
    const english = tokenizerFromSentencePiece(read("tok-sentencepiece/test_model.model"));
    expect(Array.from(english.encode("  Ｈｅｌｌｏ　①  ﬁne "), (id) => english.token(id)).join("")).toMatch(
      /^▁H.*▁fine$/,
    );
    const japanese = tokenizerFromSentencePiece(read("tok-sentencepiece/test_ja_model.model"));
    expect(japanese.decode(japanese.encode("吾輩は🦙🦙である。"))).toBe("吾輩は ⁇ である。");
  });
});
