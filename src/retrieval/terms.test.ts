/** @file Search terms: words, plurals, scripts without spaces. */
import { describe, expect, it } from "vitest";
import { documentTerms, queryTerms } from "./terms.js";

const words = (text: string) => [...queryTerms(text).keys()];

describe("queryTerms", () => {
  it.each([
    ["The Quick-Brown fox_jumps!", ["quick", "brown", "fox", "jump"]],
    ["v5.4 of tidb_read_staleness, x86 и Ёлка", ["v5", "4", "tidb", "read", "stale", "x86", "и", "елка"]],
    ["Café ＦＵＬＬ ﬁle Ὀδυσσεύς İstanbul", ["cafe", "full", "file", "οδυσσευς", "istanbul"]],
    ["don't", ["don", "t"]],
    ["how do I add an op?", ["add", "op"]],
    ["To be, or not to be", ["to", "be", "or", "not"]],
    ["नमस्ते", ["नमस्ते"]],
    ["🦊 — … \ud800 \0", []],
    ["", []],
  ])("cuts %j at everything but letters, digits and marks", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  // changing a line here means a new format version of the stores
  it.each([
    ["index", "indexes"],
    ["query", "queries"],
    ["cache", "caches"],
    ["class", "classes"],
    ["branch", "branches"],
    ["hash", "hashes"],
    ["tie", "ties"],
    ["size", "sizes"],
    ["api", "APIs"],
    ["gpu", "GPUs"],
    ["validate", "validation"],
    ["add", "adding"],
  ])("has one term for %s and %s", (one, other) => {
    expect(words(other)).toEqual(words(one));
  });

  it.each([
    ["css", "cs"],
    ["note", "not"],
    ["use", "us"],
    ["universe", "university"],
  ])("keeps %s and %s apart", (one, other) => {
    expect(words(one)).not.toEqual(words(other));
  });

  it("cuts scripts without spaces into pairs, and keeps a single character", () => {
    expect(words("读取历史")).toEqual(["读取", "取历", "历史"]);
    expect(words("锁 TiDB数据库v5")).toEqual(["锁", "tidb", "数据", "据库", "v5"]);
    expect(words("データ")).toEqual(["デー", "ータ"]);
    expect(words("ﾃﾞｰﾀ")).toEqual(["デー", "ータ"]);
    expect(words("𠀀𠀁")).toEqual(["𠀀𠀁"]);
  });

  it("counts repeated words", () => {
    expect(queryTerms("fox Fox 数据数据")).toEqual(
      new Map([
        ["fox", 2],
        ["数据", 2],
        ["据数", 1],
      ]),
    );
  });
});

describe("documentTerms", () => {
  it("has single characters besides pairs, and counts a place once", () => {
    const { counts, numPositions } = documentTerms("锁定 the fox");
    expect(counts).toEqual(new Map(["锁", "定", "锁定", "the", "fox"].map((term) => [term, 1])));
    expect(numPositions).toBe(4);
  });

  it("has every term of any query that is a part of the text", () => {
    const text = "本文介绍 TiDB 的 caches 和 ข้อมูล";
    const { counts } = documentTerms(text);
    for (const part of ["本文", "介绍", "介", "tidb", "的", "cache", "ข้อ"]) {
      for (const term of words(part)) expect(counts.has(term)).toBe(true);
    }
  });
});
