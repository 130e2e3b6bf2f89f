/** @file Documents cut by what they are, with their pages, whole and as bytes that arrive in pieces. */
import { describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../base/errors.js";
import { type Chunk, estimatedTokens as counter } from "../chunk/index.js";
import { chunkDocument, chunkTextStream } from "./chunk-document.js";
import { textPieces } from "./text-pieces.js";

async function all(chunks: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const list: Chunk[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}
async function* bytes(...pieces: (readonly number[])[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Uint8Array.from(piece);
}

describe("chunkDocument", () => {
  it("reads source code by its language, and all else as it is written", async () => {
    const text = "# one\ndef f():\n    return 1\n\ndef g():\n    return 2\n";
    const paths = async (mediaType: string): Promise<string[]> => {
      const chunks = await all(chunkDocument({ text, mediaType }, { counter, maxTokens: 10 }));
      return chunks.map(({ headingPath }) => headingPath.join());
    };
    expect(await paths("text/x-python")).toEqual(["f", "g"]);
    expect(new Set(await paths("text/markdown"))).toEqual(new Set(["one"]));
    expect(new Set(await paths("text/plain"))).toEqual(new Set([""]));
  });

  it("says on which page a chunk starts", async () => {
    const document = { text: "One two. Three four. Five six.", mediaType: "text/plain", pageStarts: [0, 9, 21] };
    const chunks = await all(chunkDocument(document, { counter, maxTokens: 3, chunker: "sentence" }));
    expect(chunks.map(({ page }) => page)).toEqual([1, 2, 3]);
  });

  it("asks for an embedder where one is needed, and refuses to stream then", async () => {
    const settings = { counter, maxTokens: 9, chunker: "semantic" as const };
    await expect(all(chunkDocument({ text: "x", mediaType: "text/plain" }, settings))).rejects.toThrow(ConfigError);
    const none = (async function* () {})();
    expect(() => chunkTextStream(none, { mediaType: "text/plain" }, settings)).toThrow(ConfigError);
  });
});

describe("textPieces", () => {
  it("puts characters together that pieces cut, and keeps null bytes", async () => {
    const source = textPieces(bytes([0xef, 0xbb, 0xbf, 0x61, 0xe4], [0xbd, 0xa0, 0], [0xf0, 0x9f], [0x98, 0x80]), "x");
    let text = "";
    for await (const piece of source) text += piece;
    expect(text).toBe("a你\0😀");
  });

  it.each([[[0x61, 0xff]], [[0xed, 0xa0, 0x80]], [[0xe4, 0xbd]]])("refuses what is not UTF-8: %j", async (piece) => {
    const read = async (): Promise<void> => {
      for await (const _ of textPieces(bytes(piece), "notes.txt"));
    };
    await expect(read()).rejects.toThrow(DataError);
    await expect(read()).rejects.toThrow("notes.txt");
  });
});
