/** @file What every registered reader keeps to: on a sample, on the sample damaged in a thousand ways, on any bytes. */
import { describe, expect, it } from "vitest";
import { Rng } from "../../src/base/rng.js";
import { type Reader, type ReadResult, readers } from "../../src/documents/index.js";
import { readerSamples } from "../support/reader-samples.js";

/** Words that every sample holds, in this order. */
const WORDS = ["Tessera", "mosaic", "漢字"];

const all = Object.entries<Reader>(readers);

function sampleOf({ name, isCode }: Reader): Uint8Array {
  const sample = isCode ? readerSamples["plain-text"] : readerSamples[name as keyof typeof readerSamples];
  if (sample === undefined) throw new Error(`the reader ${name} needs a sample in test/support/reader-samples.ts`);
  return sample;
}

/** Whatever the bytes are, the result is text that can be stored, or a reason in words. */
function check(result: ReadResult): void {
  if ("reason" in result) {
    expect(result.detail).toMatch(/\S/);
    return;
  }
  const { text, pageStarts } = result;
  if (/[\p{Surrogate}\0]/u.test(text)) throw new Error(`not well-formed: ${JSON.stringify(text)}`);
  if (pageStarts === undefined) return;
  expect(pageStarts[0]).toBe(0);
  expect(pageStarts).toEqual([...pageStarts].sort((a, b) => a - b));
  expect(pageStarts.at(-1)).toBeLessThanOrEqual(text.length);
}

it("readers share no ending and no name", () => {
  const claims = all.flatMap(([, { extensions, fileNames }]) => [...extensions, ...fileNames]);
  expect(new Set(claims).size).toBe(claims.length);
  expect(claims.every((claim) => claim === claim.toLowerCase())).toBe(true);
});

describe.each(all)("reader %s", (key, reader) => {
  it("is registered under its name, with endings that have their dot", () => {
    expect(reader.name).toBe(key);
    expect(reader.extensions.filter((extension) => !/^\.[a-z0-9]+$/.test(extension))).toEqual([]);
  });

  it("finds the words of its sample, in their order, twice the same", async () => {
    const result = await reader.read(sampleOf(reader));
    if ("reason" in result) throw new Error(`${result.reason}: ${result.detail}`);
    check(result);
    const places = WORDS.map((word) => result.text.indexOf(word));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(await reader.read(sampleOf(reader))).toEqual(result);
  });

  it("does not write into the bytes", async () => {
    const bytes = Uint8Array.from(sampleOf(reader));
    await reader.read(bytes);
    expect(bytes).toEqual(Uint8Array.from(sampleOf(reader)));
  });

  it("survives a sample that is cut short, bent, or nothing of the kind", async () => {
    const rng = new Rng(7);
    const sample = sampleOf(reader);
    for (let i = 0; i < 40; i++) check(await reader.read(sample.slice(0, rng.below(sample.length))));
    for (let i = 0; i < 60; i++) {
      const bent = Uint8Array.from(sample);
      for (let j = rng.below(8); j >= 0; j--) bent[rng.below(bent.length)] = rng.below(256);
      check(await reader.read(bent));
    }
    for (let i = 0; i < 20; i++) check(await reader.read(Uint8Array.from({ length: i }, () => rng.below(256))));
  });
});
