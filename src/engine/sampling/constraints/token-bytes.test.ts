import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UnsupportedError } from "../../../base/errors.js";
import { tokenizerFromJson, tokenizerFromSentencePiece } from "../../../tokenizers/index.js";
import { type TokenText, tokenBytes } from "./token-bytes.js";
import { TokenTrie } from "./token-trie.js";

/** Ids stand for `tokens`, written as they are. */
function plain(tokens: readonly string[]): TokenText {
  return {
    vocabSize: tokens.length,
    specialTokens: new Map([["<end>", tokens.indexOf("<end>")]]),
    encode: (text) => [tokens.indexOf(text)].filter((id) => id >= 0),
    decode: (ids) => Array.from(ids, (id) => tokens[id]).join(""),
    token: (id) => tokens[id],
  };
}

describe("tokenBytes", () => {
  it("gives what each id adds, and nothing for special tokens", () => {
    const bytes = tokenBytes(plain(["a", "é", "<end>", "\ufffd"])).map((entry) => entry && [...entry]);
    expect(bytes).toEqual([[97], [0xc3, 0xa9], undefined, [0xef, 0xbf, 0xbd]]);
  });

  it("refuses a tokenizer that does not give texts back", () => {
    expect(() => tokenBytes(plain(["é"]))).toThrow(UnsupportedError);
  });
});

const data = new URL("../../../../../shared/data/", import.meta.url);
const text = 'Tile by tile: {"naïve": [1, 2.5], "中文": "😀🇨🇭\\n"}\n\tend ▁ <0x41>  two';

describe("tokenBytes of real vocabularies", () => {
  it.skipIf(!existsSync(data)).each([
    ["tok-gpt2/tokenizer.json", 1],
    ["tok-smollm/tokenizer.json", 17],
    // <s> and </s>; the unknown token is written as text, a mark, by SentencePiece
    ["tok-llama2-spm/tokenizer.model", 2],
  ])("adds up to the text: %s (skipped without ../shared/data)", (file, numUnknown) => {
    const content = readFileSync(new URL(file, data));
    const tokenizer = file.endsWith(".json")
      ? tokenizerFromJson(content.toString())
      : tokenizerFromSentencePiece(content);
    const bytes = tokenBytes(tokenizer);
    expect(bytes.filter((entry) => entry === undefined)).toHaveLength(numUnknown);
    const ids = [...tokenizer.encode("a"), ...tokenizer.encode(text)];
    const written = ids.flatMap((id) => [...bytes[id]!]);
    expect(new TextDecoder().decode(Uint8Array.from(written)).trimStart()).toBe(tokenizer.decode(ids));
  });
});

describe("TokenTrie", () => {
  it("holds each token below the bytes that spell it", () => {
    const words = ["b", "ab", "a", "abc", "abd", "b"].map((word) => new TextEncoder().encode(word));
    const trie = new TokenTrie([...words, undefined, new Uint8Array()]);
    expect(String.fromCharCode(...trie.bytes)).toBe("abcdb");
    expect([...trie.depths]).toEqual([0, 1, 2, 2, 0]);
    expect([...trie.ends]).toEqual([4, 4, 3, 4, 5]);
    expect([...trie.tokens]).toEqual([2, 1, 3, 4, 0, 5]);
    expect([...trie.tokenStarts]).toEqual([0, 1, 2, 3, 4, 6]);
    expect([trie.alphabet[97], trie.alphabet[98], trie.alphabet[99]]).toEqual([1, 1, 0]);
  });
});
