/** @file The example of a family of one's own learns its text, comes back from disk and writes it. */

import { afterEach, expect, it, vi } from "vitest";

afterEach(() => vi.restoreAllMocks());

it("a family of one's own trains, saves, loads and generates", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("../../examples/own-family.js");
  const [, before, after] = /loss ([\d.]+) → ([\d.]+)/.exec(lines[0]!)!;
  expect(Number(after)).toBeLessThan(Number(before) / 10);
  expect(lines[1]).toContain("one tile of a mosaic");
});
