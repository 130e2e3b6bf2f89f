/** @file Filters against a truth table, the laws of logic, and things that are no filters. */
import { describe, expect, it } from "vitest";
import { randomFilter, randomMetadata } from "../../test/support/filter-samples.js";
import { ConfigError, DataError } from "../base/errors.js";
import { Rng } from "../base/rng.js";
import { checkMetadata, type Filter, matches, parseFilter } from "./filter.js";

const paper = { lang: "en", year: 2020, open: true, title: "" };

describe("matches", () => {
  it.each<[Filter, boolean]>([
    [{}, true],
    [{ lang: "en" }, true],
    [{ lang: "EN" }, false],
    [{ year: "2020" }, false],
    [{ year: 2020.0 }, true],
    [{ open: true, lang: "en" }, true],
    [{ open: true, lang: "zh" }, false],
    [{ title: "" }, true],
    [{ pages: 0 }, false],
    [{ constructor: "x" }, false],
    [{ toString: { $ne: "x" } }, true],
    [{ lang: { $in: ["zh", "en"] } }, true],
    [{ lang: { $in: [] } }, false],
    [{ pages: { $in: ["zh"] } }, false],
    [{ lang: { $ne: "zh" } }, true],
    [{ lang: { $ne: "en" } }, false],
    [{ pages: { $ne: 3 } }, true],
    [{ year: { $gt: 2019 } }, true],
    [{ year: { $gt: 2020 } }, false],
    [{ year: { $gte: 2020, $lt: 2021 } }, true],
    [{ year: { $lte: 2019 } }, false],
    [{ year: { $gt: "2019" } }, false],
    [{ year: { $lte: "2019" } }, false],
    [{ open: { $gt: 0 } }, false],
    [{ pages: { $gt: 0 } }, false],
    [{ pages: { $lte: 0 } }, false],
    [{ lang: { $gt: "e" } }, true],
    [{ lang: { $lt: "en" } }, false],
    [{ lang: { $lte: "en" } }, true],
    [{ lang: { $lt: "enough" } }, true],
    [{ $and: [] }, true],
    [{ $or: [] }, false],
    [{ $or: [{ lang: "zh" }, { year: 2020 }] }, true],
    [{ $and: [{ lang: "en" }, { year: 2021 }] }, false],
    [{ $not: {} }, false],
    [{ $not: { pages: { $gt: 0 } } }, true],
    [{ $or: [{ lang: "en" }], year: 2021 }, false],
  ])("%j: %s", (filter, expected) => {
    expect(matches(filter, paper)).toBe(expected);
  });

  it("orders strings by code points", () => {
    expect(matches({ name: { $lt: "\u{1f600}" } }, { name: "\uffee" })).toBe(true);
    expect(matches({ name: { $gt: "\u{1f600}" } }, { name: "\u{1f601}" })).toBe(true);
  });

  it("keeps to the laws of logic", () => {
    const rng = new Rng(1);
    for (let n = 0; n < 1000; n++) {
      const [a, b, metadata] = [randomFilter(rng), randomFilter(rng), randomMetadata(rng)];
      const is = (filter: Filter): boolean => matches(filter, metadata);
      expect(is({ $not: a })).toBe(!is(a));
      expect(is({ $and: [a, b] })).toBe(is(a) && is(b));
      expect(is({ $or: [a, b] })).toBe(is({ $not: { $and: [{ $not: a }, { $not: b }] } }));
      for (const [field, value] of Object.entries(randomMetadata(rng))) {
        expect(is({ [field]: { $ne: value } })).toBe(!is({ [field]: value }));
        expect(is({ [field]: { $in: [value] } })).toBe(is({ [field]: value }));
        if (typeof value === "boolean" || typeof metadata[field] !== typeof value) continue;
        const [less, equal, more] = [{ $lt: value }, value, { $gt: value }].map((of) => is({ [field]: of }));
        expect([less, equal, more].filter(Boolean)).toHaveLength(1);
        expect(is({ [field]: { $lte: value } })).toBe(less || equal);
        expect(is({ [field]: { $gte: value } })).toBe(!less);
      }
    }
  });

  it.each<[unknown, RegExp]>([
    [undefined, /filter: expected an object/],
    [[], /filter: expected an object/],
    [{ $nor: [] }, /filter\.\$nor: unknown/],
    [{ $and: {} }, /filter\.\$and: expected a list/],
    [{ $or: [{ a: null }] }, /filter\.\$or\[0\]\.a: expected a value or an object/],
    [{ a: [1] }, /filter\.a: expected/],
    [{ a: {} }, /at least one comparison/],
    [{ a: { $eq: 1 } }, /filter\.a\.\$eq: unknown/],
    [{ a: { $in: 1 } }, /list of values/],
    [{ a: { $in: [null] } }, /list of values/],
    [{ a: { $ne: null } }, /expected a value/],
    [{ a: { $gt: true } }, /a number or a string/],
    [{ a: Number.NaN }, /got NaN/],
    [{ a: "\0" }, /expected a value/],
    [{ a: { $gt: "\ud800" } }, /a number or a string/],
    [{ "a\0": 1 }, /name without zero/],
    [{ a: { hasOwnProperty: 1 } }, /unknown/],
  ])("says what is wrong with %j", (filter, message) => {
    expect(() => parseFilter(filter)).toThrow(ConfigError);
    expect(() => parseFilter(filter)).toThrow(message);
  });

  it("says what metadata no index can keep", () => {
    checkMetadata("a.md", paper);
    for (const metadata of [
      { a: null },
      { a: [] },
      { a: Number.NaN },
      { a: "\0" },
      { a: "\ud800" },
      { "\0": 1 },
      { $a: 1 },
    ]) {
      expect(() => checkMetadata("a.md", metadata)).toThrow(DataError);
    }
  });
});
