import { describe, expect, it } from "vitest";
import { byteCharacters, bytesOf } from "./byte-alphabet.js";
import { codePointAt, utf8Byte, utf8Width, utf16Width } from "./utf8.js";

describe("UTF-8", () => {
  it("writes every code point as TextEncoder does", () => {
    for (let codePoint = 0; codePoint < 0x110000; codePoint += codePoint < 0x3000 ? 1 : 97) {
      const text = String.fromCodePoint(codePoint);
      const read = codePointAt(text, 0, text.length);
      const width = utf8Width(read);
      const bytes = Array.from({ length: width }, (_, i) => utf8Byte(read, i, width));
      if (bytes.join() !== new TextEncoder().encode(text).join()) expect.fail(`code point ${codePoint}`);
      if (utf16Width(read) !== text.length) expect.fail(`width of ${codePoint}`);
    }
  });

  it("reads lone surrogates, and pairs cut by the end, as U+FFFD", () => {
    expect(codePointAt("\ud83d\ude00", 0, 2)).toBe(0x1f600);
    expect(codePointAt("\ud83d\ude00", 0, 1)).toBe(0xfffd);
    expect(codePointAt("\ude00\ud83d", 0, 2)).toBe(0xfffd);
    expect(codePointAt("\ud83dx", 0, 2)).toBe(0xfffd);
  });
});

describe("the byte alphabet", () => {
  it("has a character of its own for each byte, and leads back", () => {
    expect(new Set(byteCharacters).size).toBe(256);
    expect([byteCharacters[0x20], byteCharacters[0x0a], byteCharacters[0x41]]).toEqual(["Ġ", "Ċ", "A"]);
    expect(Array.from(bytesOf(byteCharacters.join("")))).toEqual([...Array(256).keys()]);
  });

  it("takes tokens with other characters as they are", () => {
    expect(Array.from(bytesOf("a b"))).toEqual([0x61, 0x20, 0x62]);
  });
});
