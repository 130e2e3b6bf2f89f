/** @file What every registered chunker keeps to, on random texts and with counters that do and do not add up. */
import { describe, expect, it } from "vitest";
import { Rng } from "../../src/base/rng.js";
import { type Chunk, type ChunkerDef, type ChunkOptions, chunkers, embeddingChunkers } from "../../src/chunk/index.js";
import { type Case, cases, check, checkRepeated, checkSame, counters, embed, inPieces } from "./chunkers-support.js";

const BLANK = ["", " ", "\n\t\u3000\ufeff"];
const units = counters["code units, which add up everywhere"]!;

async function all(chunks: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const list: Chunk[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}

/** A chunker with the options of a format or language that is not its default one. */
function withOptions<Options extends ChunkOptions>(
  chunker: ChunkerDef<Options>,
  own: Omit<Options, keyof ChunkOptions>,
): ChunkerDef {
  const full = (options: ChunkOptions): Options => ({ ...own, ...options }) as Options;
  return {
    ...chunker,
    chunk: (text, options) => chunker.chunk(text, full(options)),
    chunkStream: (source, options) => chunker.chunkStream(source, full(options)),
  };
}

const variants: Record<string, ChunkerDef> = {
  "recursive, of plain text": withOptions(chunkers.recursive, { format: "plain" }),
  "code, of Python": withOptions(chunkers.code, { language: "python" }),
  "code, of JavaScript with JSX": withOptions(chunkers.code, { language: "javascript" }),
  "table, of Markdown": withOptions(chunkers.table, { tableFormat: "markdown" }),
  "sentence-window, of one sentence": withOptions(chunkers["sentence-window"], { windowSentences: 0 }),
};

it.each(Object.entries(chunkers))("chunker %s is registered under its name", (key, chunker) => {
  expect(chunker.name).toBe(key);
});

describe.each(Object.entries<ChunkerDef>({ ...chunkers, ...variants }))("chunker %s", (_, chunker) => {
  const streamed = ({ text, options, rng }: Case): Promise<Chunk[]> =>
    all(chunker.chunkStream(inPieces(text, rng), options));

  it("gives ordered, exact, covering chunks within the limit that cut no grapheme", () => {
    for (const { text, options } of cases(1)) check(text, [...chunker.chunk(text, options)], options);
  });

  it("gives the same chunks again, and from a stream, however it is cut", async () => {
    for (const random of cases(3, 0.5)) {
      checkSame(await streamed(random), [...chunker.chunk(random.text, random.options)]);
    }
  });

  it("repeats no more than overlapTokens", () => {
    for (const { text, options } of cases(4, 0.25)) {
      checkRepeated([...chunker.chunk(text, { ...options, counter: units })], options);
    }
  });

  it("holds little of a stream without end", async () => {
    const part = "One sentence, <p>and another.\nf(1);\nno end of words 漢漢漢漢,".repeat(200);
    let numRead = 0;
    async function* endless(): AsyncGenerator<string> {
      for (; ; numRead += part.length) yield part;
    }
    let last = 0;
    for await (const { end } of chunker.chunkStream(endless(), { counter: units, maxTokens: 1000 })) {
      if (numRead > 9e5) break;
      last = end;
    }
    expect(last).toBeGreaterThan(1e5);
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
      checkSame(await all(chunker.chunk(text, { ...options, embed })), chunks);
    }
  });

  it("repeats no more than overlapTokens", async () => {
    for (const { text, options } of cases(4, 0.25)) {
      checkRepeated(await all(chunker.chunk(text, { ...options, counter: units, embed })), options);
    }
  });

  it.each(BLANK)("gives nothing for %j", async (text) => {
    expect(await all(chunker.chunk(text, { counter: units, maxTokens: 8, embed }))).toEqual([]);
  });
});
