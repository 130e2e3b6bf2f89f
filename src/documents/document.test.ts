/** @file Pages of a document by offset. */
import { describe, expect, it } from "vitest";
import { pageAt } from "./document.js";

describe("pageAt", () => {
  it("is the page whose text holds the offset", () => {
    const document = { pageStarts: [0, 10, 10, 25] };
    expect([0, 9, 10, 24, 25, 1000].map((offset) => pageAt(document, offset))).toEqual([1, 1, 3, 3, 4, 4]);
  });

  it("is the first page for what stands before it, and none for a document without pages", () => {
    expect(pageAt({ pageStarts: [3, 9] }, 0)).toBe(1);
    expect(pageAt({}, 5)).toBeUndefined();
  });
});
