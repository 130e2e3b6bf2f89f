import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError, ConfigError, UnsupportedError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import type { TokenizerFile } from "../formats/format.js";
import { JsonTokenizer, toTokenizerJson } from "../tokenizer-json.js";
import { trainByteLevelBpe } from "../train.js";
import {
  countUnknownWords,
  sentencePieceModel,
  subwordSampler,
  type TrainingProgress,
  trainCharacterBpe,
  trainCharacterLevel,
  trainSentencePiece,
  trainUnigram,
  trainWordLevel,
  trainWordPiece,
} from "./index.js";

interface Encoded {
  readonly ids: number[][];
  readonly decoded: string[];
  readonly size: number;
  readonly model?: string;
}

/** Made by tools/golden/trainers.py with tokenizers 0.23.2 and sentencepiece 0.2.2. */
const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/trainers/trained.json", import.meta.url), "utf8"),
) as {
  texts: string[];
  vocabSizes: { words: number; raw: number };
  lines: string[];
  library: { "character-bpe": { vocab: Record<string, number>; merges: [string, string][] }; wordpiece: string[] };
  encoded: Record<string, Encoded>;
};
const { texts, lines } = golden;
const { words: vocabSize, raw } = golden.vocabSizes;

const vocabulary = ({ model }: TokenizerFile): Record<string, number> => model.vocab as Record<string, number>;

describe("trainCharacterBpe", () => {
  it("learns what Hugging Face's trainer learns", async () => {
    const { model } = await trainCharacterBpe(texts, { vocabSize });
    expect(model.vocab).toEqual(golden.library["character-bpe"].vocab);
    expect(model.merges).toEqual(golden.library["character-bpe"].merges);
  });
});

describe("trainWordPiece", () => {
  it("learns what Hugging Face's trainer learns, where that does not hang on the order of a hash table", async () => {
    const file = await trainWordPiece(texts, { vocabSize });
    const tokens = new Set(Object.keys(vocabulary(file)));
    // its ## characters have ids in random order, which decides between merges of equal frequency
    expect(golden.library.wordpiece.filter((token) => !tokens.has(token)).length).toBeLessThanOrEqual(4);
    expect(Object.values(vocabulary(file)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: vocabSize }, (_, i) => i),
    );
    expect(file.post_processor?.type).toBe("TemplateProcessing");
  });

  it("asks for its unknown token", async () => {
    await expect(trainWordPiece(texts, { vocabSize, specialTokens: ["[PAD]"] })).rejects.toThrow(
      /must include "\[UNK\]"/,
    );
  });
});

describe("what the Python libraries encode with our files", () => {
  const train: Record<string, () => Promise<TokenizerFile>> = {
    "character-bpe": () => trainCharacterBpe(texts, { vocabSize }),
    "character-level": () => trainCharacterLevel(texts),
    "sentencepiece-bpe": () => trainSentencePiece(texts, { vocabSize: raw, algorithm: "bpe" }),
    "sentencepiece-unigram": () => trainSentencePiece(texts, { vocabSize: raw }),
    unigram: () => trainUnigram(texts, { vocabSize, prefixSpace: "never" }),
    "word-level": () => trainWordLevel(texts),
    wordpiece: () => trainWordPiece(texts, { vocabSize }),
  };

  it.each(Object.entries(train))("%s: so do we, and decode the same", async (name, make) => {
    const tokenizer = new JsonTokenizer(await make());
    const { ids, decoded, size } = golden.encoded[name]!;
    expect(tokenizer.vocabSize).toBe(size);
    expect(lines.map((line) => [...tokenizer.encode(line)])).toEqual(ids);
    expect(ids.map((each) => tokenizer.decode(each))).toEqual(decoded);
  });

  const sampled = Object.entries(train).filter(([name]) => !/word|level/.test(name));
  it.each(sampled)("%s: the sampler gives the same where nothing is left to chance", async (name, make) => {
    const file = await make();
    const sampler = subwordSampler(file);
    const fixed = file.model.type === "BPE" ? { dropout: 0 } : { nBest: 1 };
    const ids = lines.map((line) => [...sampler.encode(line, { rng: new Rng(1), ...fixed })]);
    expect(ids).toEqual(golden.encoded[name]!.ids);
  });

  it.each(sampled)("%s: samples decode to the text too, the same from the same seed", async (_, make) => {
    const file = await make();
    const tokenizer = new JsonTokenizer(file);
    const sampler = subwordSampler(file);
    const draw = (seed: number): number[][] => {
      const rng = new Rng(seed);
      return texts.slice(0, 40).map((text) => [...sampler.encode(text, { rng })]);
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const plain = texts.slice(0, 40).map((text) => tokenizer.decode(tokenizer.encode(text)));
    expect(draw(3).map((ids) => tokenizer.decode(ids))).toEqual(plain);
    const wrong = file.model.type === "BPE" ? { alpha: 1 } : { dropout: 0.1 };
    expect(() => sampler.encode("a", { rng: new Rng(1), ...wrong })).toThrow(ConfigError);
  });

  it("byte-level BPE can be sampled too", () => {
    const tokenizer = trainByteLevelBpe(texts, { vocabSize: 400 });
    const sampler = subwordSampler(JSON.parse(toTokenizerJson(tokenizer)));
    for (const line of lines) {
      expect(sampler.encode(line, { rng: new Rng(1), dropout: 0 })).toEqual(tokenizer.encode(line));
      expect(tokenizer.decode(sampler.encode(line, { rng: new Rng(1), dropout: 0.3 }))).toBe(line);
    }
  });

  it.each(["sentencepiece-bpe", "sentencepiece-unigram"])("%s: decodes to every text as it was", (name) => {
    expect(golden.encoded[name]!.decoded).toEqual(lines);
    expect(golden.encoded[name]!.size).toBe(raw);
  });

  it("character-level: decodes to every text as it was", async () => {
    expect(golden.encoded["character-level"]!.decoded).toEqual(lines);
    const file = await trainCharacterLevel(texts);
    expect(Object.keys(vocabulary(file))).toHaveLength(golden.encoded["character-level"]!.size);
  });

  it.each(["sentencepiece-bpe", "sentencepiece-unigram"])("%s: the .model is the one that they read", async (name) => {
    const model = sentencePieceModel(await train[name]!());
    expect(Buffer.from(model).toString("base64")).toBe(golden.encoded[name]!.model);
  });
});

describe("sentencePieceModel", () => {
  it("refuses what the format cannot say", async () => {
    const bpe = await trainCharacterBpe(texts, { vocabSize });
    const wordpiece = await trainWordPiece(texts, { vocabSize });
    expect(() => sentencePieceModel(bpe)).toThrow(UnsupportedError);
    expect(() => sentencePieceModel(wordpiece)).toThrow(UnsupportedError);
  });
});

describe("trainSentencePiece", () => {
  it("keeps spaces together only with the word after them, unless told otherwise", async () => {
    const joined = ["new york city hall", "new york city park", "new york"];
    const pieces = async (splitByWhitespace: boolean): Promise<string[]> => {
      const file = await trainSentencePiece(joined, { vocabSize: 284, algorithm: "bpe", splitByWhitespace });
      return Object.keys(vocabulary(file));
    };
    expect((await pieces(false)).some((piece) => /[a-z]▁/.test(piece))).toBe(true);
    const short = await trainSentencePiece(joined, { vocabSize: 284, algorithm: "bpe", minFrequency: 1 });
    expect(Object.keys(vocabulary(short)).some((piece) => /[a-z]▁/.test(piece))).toBe(false);
  });

  it("does not join letters, digits and punctuation, unless told otherwise", async () => {
    const mixed = Array.from({ length: 40 }, (_, i) => `abc1${i % 3}, abc1; (abc)`);
    const pieces = async (splitByCategory: boolean): Promise<string[]> => {
      const file = await trainSentencePiece(mixed, { vocabSize: 275, splitByCategory, maxPieceLength: 8 });
      return (file.model.vocab as [string, number][]).map(([piece]) => piece).slice(259);
    };
    expect((await pieces(true)).filter((piece) => /[a-z][^a-z]|\d\D|[,;()][^,;()▁]/.test(piece))).toEqual([]);
    expect((await pieces(false)).some((piece) => /[a-z][^a-z]/.test(piece))).toBe(true);
  });

  it("cuts at characters that the coverage leaves out", async () => {
    const rare = [...Array.from({ length: 300 }, () => "abab abab"), "aZb"];
    const file = await trainSentencePiece(rare, { vocabSize: 265, characterCoverage: 0.999, algorithm: "bpe" });
    expect(vocabulary(file)).not.toHaveProperty("Z");
    const sampler = subwordSampler(file);
    const ids = sampler.encode("Z", { rng: new Rng(1), dropout: 0 });
    expect([...ids].map((id) => Object.keys(vocabulary(file)).find((t) => vocabulary(file)[t] === id))).toEqual([
      "▁",
      "<0x5A>",
    ]);
  });
});

describe("trainWordLevel", () => {
  const corpus = ["b a c a", "a b d", "<unk>"];

  it("takes words by frequency and drops rare ones", async () => {
    const file = await trainWordLevel(corpus, { specialTokens: ["<unk>"], unkToken: "<unk>" });
    expect(file.model.vocab).toEqual({ "<unk>": 0, a: 1, b: 2 });
    const all = await trainWordLevel(corpus, { minFrequency: 1, vocabSize: 4 });
    expect(all.model.vocab).toEqual({ "[UNK]": 0, a: 1, b: 2, "<": 3 });
  });

  it("has the out-of-vocabulary rate that the library's ids show", async () => {
    const ids = golden.encoded["word-level"]!.ids.flat();
    const unknown = ids.filter((id) => id === 0).length;
    const coverage = await countUnknownWords(await trainWordLevel(texts), lines);
    expect(coverage).toEqual({ words: ids.length, unknown, rate: unknown / ids.length });
    expect(await countUnknownWords(await trainWordLevel(texts), [])).toEqual({ words: 0, unknown: 0, rate: 0 });
    await expect(countUnknownWords(await trainCharacterLevel(texts), lines)).rejects.toThrow(CheckpointError);
  });
});

describe("all trainers", () => {
  const make = {
    "character BPE": (source: Iterable<string> | AsyncIterable<string>, options = {}) =>
      trainCharacterBpe(source, { vocabSize, ...options }),
    "character level": (source: Iterable<string> | AsyncIterable<string>, options = {}) =>
      trainCharacterLevel(source, options),
    SentencePiece: (source: Iterable<string> | AsyncIterable<string>, options = {}) =>
      trainSentencePiece(source, { vocabSize: raw, ...options }),
    Unigram: (source: Iterable<string> | AsyncIterable<string>, options = {}) =>
      trainUnigram(source, { vocabSize, ...options }),
    "word level": (source: Iterable<string> | AsyncIterable<string>, options = {}) => trainWordLevel(source, options),
    WordPiece: (source: Iterable<string> | AsyncIterable<string>, options = {}) =>
      trainWordPiece(source, { vocabSize, ...options }),
  };
  async function* streamed(): AsyncGenerator<string> {
    for (const text of texts) yield text;
  }

  it.each(Object.entries(make))("%s: learns the same from a stream, and says how far it is", async (_, train) => {
    const seen: TrainingProgress[] = [];
    const fromStream = await train(streamed(), { onProgress: (progress: TrainingProgress) => seen.push(progress) });
    expect(fromStream).toEqual(await train(texts));
    expect(seen.find(({ phase }) => phase === "read")).toEqual({ phase: "read", done: texts.length });
  });

  const subwords = Object.entries(make).filter(([name]) => !name.endsWith("level"));
  it.each(subwords)("%s: names the nearest size that works, and it does", async (_, train) => {
    for (const asked of [10, 100_000]) {
      const error = await train(texts, { vocabSize: asked }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ConfigError);
      const nearest = /nearest that works is (\d+)|ask for (\d+)/.exec((error as ConfigError).message);
      await expect(train(texts, { vocabSize: Number(nearest?.[1] ?? nearest?.[2]) })).resolves.toBeDefined();
    }
  });

  it.each(subwords)("%s: takes the alphabet that it is given", async (_, train) => {
    const { model } = await train(texts, { initialAlphabet: ["Ω", "z"], limitAlphabet: 12, vocabSize: 290 }).catch(() =>
      train(texts, { initialAlphabet: ["Ω", "z"], limitAlphabet: 12, vocabSize: 60 }),
    );
    const tokens = Array.isArray(model.vocab)
      ? model.vocab.map(([token]) => token)
      : Object.keys(vocabulary({ model } as TokenizerFile));
    expect(tokens).toContain("Ω");
    expect(tokens.filter((token) => [...token].length === 1).length).toBeLessThanOrEqual(12);
    await expect(train(texts, { initialAlphabet: ["ab"] })).rejects.toThrow(ConfigError);
    await expect(train(texts, { initialAlphabet: ["a", "b"], limitAlphabet: 1 })).rejects.toThrow(ConfigError);
  });

  it.each(Object.entries(make))("%s: refuses special tokens that repeat or are empty", async (_, train) => {
    await expect(train(texts, { specialTokens: ["a", "a"] })).rejects.toThrow(ConfigError);
    await expect(train(texts, { specialTokens: ["[UNK]", ""] })).rejects.toThrow(ConfigError);
  });
});
