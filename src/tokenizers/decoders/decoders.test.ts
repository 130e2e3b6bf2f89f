import { describe, expect, it } from "vitest";
import { UnsupportedError } from "../../base/errors.js";
import { readDecoder } from "./index.js";

type Entry = { type: string; [key: string]: unknown };

function decoded(entry: Entry | null, tokens: readonly string[]): { readonly parts: string[]; readonly text: string } {
  const state = readDecoder(entry).open();
  const parts = tokens.map((token) => state.push(token).join(""));
  return { parts, text: parts.join("") + state.end().join("") };
}

const sequence = (...decoders: Entry[]): Entry => ({ type: "Sequence", decoders });
const byteFallback = sequence(
  { type: "Replace", pattern: { String: "▁" }, content: " " },
  { type: "ByteFallback" },
  { type: "Fuse" },
  { type: "Strip", content: " ", start: 1, stop: 0 },
);

describe("decoders", () => {
  it("give text as soon as it is certain", () => {
    const tokens = ["▁the", "▁", "<0xE5>", "<0xB0>", "<0x8F>", "s", "<0xFF>"];
    expect(decoded(byteFallback, tokens)).toEqual({
      parts: ["the", " ", "", "", "", "小s", ""],
      text: "the 小s\ufffd",
    });
    expect(decoded({ type: "ByteLevel" }, ["Ġt", "å", "°", "ı"]).parts).toEqual([" t", "", "", "小"]);
    expect(decoded({ type: "WordPiece" }, ["the", "tile", "##s", "."])).toEqual({
      parts: ["the", " tile", "s", "."],
      text: "the tiles.",
    });
    expect(decoded({ type: "BPEDecoder" }, ["t", "he</w>", "end</w>"]).text).toBe("the end");
  });

  it("strip tokens, or the whole text once it is fused", () => {
    const strip = { type: "Strip", content: "a", start: 1, stop: 2 };
    expect(decoded(strip, ["aabaaa", "a", ""]).text).toBe("aba");
    expect(decoded(sequence({ type: "Fuse" }, strip), ["aab", "aaa"]).text).toBe("aba");
    expect(decoded(sequence({ type: "Fuse" }, { ...strip, stop: 0, start: 2 }), ["a", "aa", "b"])).toEqual({
      parts: ["", "a", "b"],
      text: "ab",
    });
  });

  it("put spaces between tokens when there is no decoder", () => {
    expect(decoded(null, ["the", "tiles"]).text).toBe("the tiles");
  });

  it("say what is not supported", () => {
    expect(() => readDecoder(sequence({ type: "Fuse" }, { type: "Odd" }))).toThrow(UnsupportedError);
    expect(() => readDecoder({ type: "Odd" })).toThrow(/decoder Odd.*known are.*WordPiece/);
  });
});
