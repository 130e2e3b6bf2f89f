/** @file Tokenizers from the files of a model's folder. */

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { byteCharacters } from "../algorithms/byte-alphabet.js";
import type { Tokenizer } from "../tokenizer.js";
import { tokenizerFromFiles } from "./index.js";

const dataFolder = new URL("../../../../shared/data/", import.meta.url);
const lacksData = !existsSync(new URL("tok-gpt2/vocab.json", dataFolder));

/** Files by name: text, or what is to be JSON. */
function filesOf(contents: Readonly<Record<string, unknown>>): Map<string, Uint8Array> {
  const encode = (content: unknown): Uint8Array =>
    content instanceof Uint8Array
      ? content
      : new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
  return new Map(Object.entries(contents).map(([name, content]) => [name, encode(content)]));
}

function fromFolder(folder: string, ...names: string[]): Tokenizer {
  return tokenizerFromFiles(
    new Map(names.map((name) => [name, readFileSync(new URL(`${folder}/${name}`, dataFolder))])),
  );
}

const tokensOf = (tokenizer: Tokenizer, text: string): (string | undefined)[] =>
  Array.from(tokenizer.encode(text, { specialTokens: true }), (id) => tokenizer.token(id));

const bertVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nThe\ntile\n##s\né\ne\n";
const vocab = Object.fromEntries(
  [...byteCharacters, "Ġt", "he", "Ġthe", "<s>", "</s>", "<|endoftext|>"].map((t, i) => [t, i]),
);
const merges = "#version: 0.2\nĠ t\nh e\nĠt he\n";
const golden: { cases: { name: string; model: string; ids: number[][] }[]; lines: string[] } = JSON.parse(
  readFileSync(new URL("../../../test/golden/tokenizers/sentencepiece.json", import.meta.url), "utf8"),
);
const { model, ids } = golden.cases.find(({ name }) => name.endsWith("bpe"))!;
const spm = Uint8Array.from(Buffer.from(model, "base64"));

describe("tokenizerFromFiles", () => {
  it("reads vocab.txt as BertTokenizer does", () => {
    const tokenizer = tokenizerFromFiles(filesOf({ "vocab.txt": bertVocab }));
    expect(tokensOf(tokenizer, "The TILES é [MASK]")).toEqual(["the", "tile", "##s", "e", "[MASK]"]);
    expect(tokenizer.template).toEqual({ prefix: [2], suffix: [3] });
    expect(tokenizer.decode(tokenizer.encode("the tiles"))).toBe("the tiles");
    const cased = { tokenizer_class: "BertTokenizerFast", do_lower_case: false, strip_accents: false };
    expect(
      tokensOf(tokenizerFromFiles(filesOf({ "vocab.txt": bertVocab, "tokenizer_config.json": cased })), "The é"),
    ).toEqual(["The", "é"]);
  });

  it("reads vocab.json with merges.txt as GPT-2's, RoBERTa's or Qwen 2's tokenizer does", () => {
    const files = { "vocab.json": vocab, "merges.txt": merges };
    const gpt2 = tokenizerFromFiles(filesOf(files));
    expect(tokensOf(gpt2, "the the<|endoftext|>")).toEqual(["t", "he", "Ġthe", "<|endoftext|>"]);
    expect(gpt2.template).toEqual({ prefix: [], suffix: [] });
    const roberta = tokenizerFromFiles(
      filesOf({ ...files, "tokenizer_config.json": { tokenizer_class: "RobertaTokenizer" } }),
    );
    expect(roberta.template).toEqual({ prefix: [vocab["<s>"]], suffix: [vocab["</s>"]] });
    const config = {
      tokenizer_class: "Qwen2Tokenizer",
      added_tokens_decoder: { 300: { content: "<|im_end|>", special: true } },
    };
    const qwen = tokenizerFromFiles(filesOf({ ...files, "tokenizer_config.json": config }));
    expect(tokensOf(qwen, "12<|im_end|>")).toEqual(["1", "2", "<|im_end|>"]);
    expect(qwen.vocabSize).toBe(301);
  });

  it("reads a SentencePiece model with what the configuration adds", () => {
    const plain = tokenizerFromFiles(filesOf({ "tokenizer.model": spm }));
    expect(Array.from(plain.encode(golden.lines[0]!))).toEqual(ids[0]);
    expect(plain.template).toEqual({ prefix: [], suffix: [] });
    const config = {
      tokenizer_class: "LlamaTokenizer",
      added_tokens_decoder: { 9000: { content: "<|end|>", special: true } },
    };
    const llama = tokenizerFromFiles(filesOf({ "tokenizer.model": spm, "tokenizer_config.json": config }));
    expect(llama.template).toEqual({ prefix: [1], suffix: [] });
    expect(llama.specialTokens.get("<|end|>")).toBe(9000);
    const t5 = tokenizerFromFiles(
      filesOf({ "spiece.model": spm, "tokenizer_config.json": { tokenizer_class: "T5Tokenizer" } }),
    );
    expect(t5.template).toEqual({ prefix: [], suffix: [2] });
  });

  it("prefers tokenizer.json", () => {
    const json = { version: "1.0", added_tokens: [], model: { type: "WordLevel", vocab: { a: 0 }, unk_token: "a" } };
    const tokenizer = tokenizerFromFiles(filesOf({ "vocab.txt": bertVocab, "tokenizer.json": json }));
    expect(tokenizer.vocabSize).toBe(1);
  });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    [
      "another BERT",
      { "vocab.txt": bertVocab, "tokenizer_config.json": { tokenizer_class: "BertJapaneseTokenizer" } },
      /BertJapaneseTokenizer.*tokenizer\.json/,
    ],
    [
      "another BPE",
      { "vocab.json": vocab, "merges.txt": merges, "tokenizer_config.json": { tokenizer_class: "CLIPTokenizer" } },
      /CLIPTokenizer/,
    ],
    [
      "ids that are not the file's",
      { "sentencepiece.bpe.model": spm, "tokenizer_config.json": { tokenizer_class: "XLMRobertaTokenizer" } },
      /XLMRobertaTokenizer/,
    ],
  ])("says that it does not know %s", (_, contents, message) => {
    expect(() => tokenizerFromFiles(filesOf(contents))).toThrow(UnsupportedError);
    expect(() => tokenizerFromFiles(filesOf(contents))).toThrow(message);
  });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    [
      "no tokenizer",
      { "config.json": {}, "vocab.json": vocab },
      /looked for tokenizer\.json, tokenizer\.model,.*vocab\.json with merges\.txt.*found config\.json, vocab\.json/,
    ],
    ["nothing", {}, /found nothing/],
    ["a vocabulary without its tokens", { "vocab.txt": "a\nb\n" }, /the unk token \[UNK\] among 2/],
    [
      "a configuration that is no JSON",
      { "vocab.txt": bertVocab, "tokenizer_config.json": "{" },
      /tokenizer_config\.json: not JSON/,
    ],
    [
      "a setting of another type",
      { "vocab.txt": bertVocab, "tokenizer_config.json": { do_lower_case: 3 } },
      /do_lower_case/,
    ],
  ])("refuses %s", (_, contents, message) => {
    expect(() => tokenizerFromFiles(filesOf(contents))).toThrow(CheckpointError);
    expect(() => tokenizerFromFiles(filesOf(contents))).toThrow(message);
  });

  it.skipIf(lacksData)(
    "gives the ids of tokenizer.json from the older files: BERT, GPT-2 (needs ../shared/data)",
    () => {
      const text = readFileSync(new URL("data-chunking-eval/corpora/wikitexts.md", dataFolder), "utf8").slice(
        0,
        100_000,
      );
      const bert = fromFolder("tok-bert-uncased", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json");
      expect(bert.encode(text)).toEqual(fromFolder("tok-bert-uncased", "tokenizer.json").encode(text));
      const gpt2 = fromFolder("tok-gpt2", "vocab.json", "merges.txt");
      expect(gpt2.encode(text)).toEqual(fromFolder("tok-gpt2", "tokenizer.json").encode(text));
      const text2 = "[CLS] a [MASK] b <|endoftext|>";
      expect(tokensOf(bert, text2)).toEqual(tokensOf(fromFolder("tok-bert-uncased", "tokenizer.json"), text2));
    },
  );
});
