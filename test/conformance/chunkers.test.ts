/** @file What every registered chunker keeps to, on random texts and with counters that do and do not add up. */
import { describe, expect, it } from "vitest";
import { Rng } from "../../src/base/rng.js";
import { type Chunk, type ChunkerDef, type ChunkOptions, chunkers, embeddingChunkers } from "../../src/chunk/index.js";
import { type Case, cases, check, counters, embed, inPieces } from "./chunkers-support.js";

const BLANK = ["", " ", "\n\t\u3000\ufeff"];
const units = counters["code units, which add up everywhere"]!;

async function all(chunks: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const list: Chunk[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}

function expectLittleRepeated(chunks: readonly Chunk[], { overlapTokens = 0 }: ChunkOptions): void {
  for (const [i, chunk] of chunks.entries()) {
    if (i > 0) expect(chunks[i - 1]!.end - chunk.start).toBeLessThanOrEqual(overlapTokens);
  }
}

describe.each(Object.entries<ChunkerDef>(chunkers))("chunker %s", (key, chunker) => {
  const streamed = ({ text, options, rng }: Case): Promise<Chunk[]> =>
    all(chunker.chunkStream(inPieces(text, rng), options));

  it("is registered under its name", () => expect(chunker.name).toBe(key));

  it("gives ordered, exact, covering chunks within the limit that cut no grapheme", () => {
    for (const { text, options } of cases(1)) check(text, [...chunker.chunk(text, options)], options);
  });

  it("gives the same chunks again, and from a stream, however it is cut", async () => {
    for (const random of cases(3, 0.5)) {
      expect(await streamed(random)).toEqual([...chunker.chunk(random.text, random.options)]);
    }
  });

  it("repeats no more than overlapTokens", () => {
    for (const { text, options } of cases(4, 0.25)) {
      expectLittleRepeated([...chunker.chunk(text, { ...options, counter: units })], options);
    }
  });

  it.each(BLANK)("gives nothing for %j", async (text) => {
    const options = { counter: units, maxTokens: 8 };
    expect([...chunker.chunk(text, options)]).toEqual([]);
    expect(await streamed({ text, options, rng: new Rng(1) })).toEqual([]);
  });
});

describe.each(Object.entries(embeddingChunkers))("chunker %s", (key, chunker) => {
  it("is registered under its name", () => expect(chunker.name).toBe(key));

  it("gives ordered, exact, covering chunks within the limit that cut no grapheme, and the same again", async () => {
    for (const { text, options } of cases(1)) {
      const chunks = await all(chunker.chunk(text, { ...options, embed }));
      check(text, chunks, options);
      expect(await all(chunker.chunk(text, { ...options, embed }))).toEqual(chunks);
    }
  });

  it("repeats no more than overlapTokens", async () => {
    for (const { text, options } of cases(4, 0.25)) {
      expectLittleRepeated(await all(chunker.chunk(text, { ...options, counter: units, embed })), options);
    }
  });

  it.each(BLANK)("gives nothing for %j", async (text) => {
    expect(await all(chunker.chunk(text, { counter: units, maxTokens: 8, embed }))).toEqual([]);
  });
});
