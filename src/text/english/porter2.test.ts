/** @file The stemmer against Snowball's own. */

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { porter2 } from "./porter2.js";

/** Made by tools/golden/text.py. */
const golden = JSON.parse(readFileSync(new URL("../../../test/golden/text/porter2.json", import.meta.url), "utf8")) as {
  readonly stems: readonly string[];
};

it("gives the stems of snowballstemmer 3.1.1", () => {
  expect(golden.stems.length).toBeGreaterThan(1500);
  expect(golden.stems.map((row) => `${row.split(" ")[0]} ${porter2(row.split(" ")[0]!)}`)).toEqual(golden.stems);
});
