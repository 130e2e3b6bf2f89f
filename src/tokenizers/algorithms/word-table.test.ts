import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { IntList } from "./int-list.js";
import { WordEncoder } from "./word-encoder.js";
import { WordTable } from "./word-table.js";

describe("WordTable", () => {
  it("agrees with a Map, and forgets when told", () => {
    const rng = new Rng(2);
    const table = new WordTable();
    const map = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const text = `<${rng.below(6000).toString(36)}\ud83d\ude00>`;
      const slot = table.find(text, 1, text.length - 1);
      const word = text.slice(1, -1);
      expect(slot >= 0 ? table.value(slot) : undefined).toBe(map.get(word));
      if (slot < 0) table.add(text, 1, text.length - 1, i);
      if (slot < 0) map.set(word, i);
    }
    expect(table.size).toBe(map.size);
    const listed = new Map<string, number>();
    table.forEach((word, value) => {
      listed.set(word, value);
    });
    expect(listed).toEqual(map);
    table.clear();
    expect(table.find("x", 0, 1)).toBe(-1);
  });

  it("tells words of equal beginning and lone surrogates apart", () => {
    const table = new WordTable();
    ["a", "ab", "\ud800", "\ud801", ""].forEach((word, i) => {
      expect(table.find(word, 0, word.length)).toBe(-1);
      table.add(word, 0, word.length, i);
    });
    expect(table.value(table.find("xaby", 1, 3))).toBe(1);
    expect(table.value(table.find("\ud801", 0, 1))).toBe(3);
  });
});

describe("WordEncoder", () => {
  it("stays right when there are more words than it remembers", () => {
    const units = (text: string, start: number, end: number, symbols: Int32Array): number => {
      for (let i = start; i < end; i++) symbols[i - start] = text.charCodeAt(i);
      return end - start;
    };
    const encoder = new WordEncoder(units);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 150_000; i++) {
        const word = String(i);
        if (encoder.count(word, 0, word.length) !== word.length) expect.fail(`count of ${word}`);
      }
    }
    const ids = new IntList();
    encoder.encode("149999", 0, 6, ids);
    encoder.encode("x".repeat(1000), 0, 1000, ids);
    expect(ids.length).toBe(1006);
    expect(String.fromCharCode(...ids.toArray().subarray(0, 6))).toBe("149999");
  });
});
