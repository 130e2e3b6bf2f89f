import { describe, expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { changeMap } from "../text-change.js";
import { UnicodeNormalizer, unicodeForms } from "./unicode-forms.js";

describe.each(unicodeForms)("%s", (form) => {
  const normalizer = new UnicodeNormalizer(form);
  const pool = [..."aeiouÅéﬁｶﾞが한각ㅏﾡￂ\u0301\u0327\u0307\u1100\u1161\u11a8ⅧǄ가😀"];

  it("leads every code unit back to a stretch that covers it", () => {
    const rng = new Rng(1);
    for (let round = 0; round < 2000; round++) {
      const source = Array.from({ length: rng.below(10) }, () =>
        rng.below(4) > 0 ? pool[rng.below(pool.length)] : String.fromCodePoint(rng.below(0x11000)),
      ).join("");
      const text = `..${source}`;
      const normalized = normalizer.apply(source);
      const map = changeMap(normalizer, source, false, 2, undefined); // which checks that the stretches normalise one by one
      let covered = 2;
      for (let i = 0; i < normalized.length; i++) {
        expect(map.start(i)).toBeLessThanOrEqual(covered);
        expect(map.end(i + 1)).toBeGreaterThan(map.start(i));
        covered = map.end(i + 1);
      }
      expect(covered).toBe(text.length);
    }
  });
});

describe("a source map", () => {
  it("is exact where nothing changes", () => {
    const map = changeMap(new UnicodeNormalizer("NFC"), "abe\u0301cd", false, 0, undefined); // abécd
    expect([0, 1, 2, 3, 4].map((i) => [map.start(i), map.end(i + 1)])).toEqual([
      [0, 1],
      [1, 2],
      [2, 4],
      [4, 5],
      [5, 6],
    ]);
  });
});
