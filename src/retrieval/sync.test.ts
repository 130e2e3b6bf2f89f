/** @file What a sync asks of a store, chunker and embedder. */
import { beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../base/errors.js";
import type { Chunk } from "../chunk/chunk.js";
import type { DocumentChunks, Store, StoredChunk } from "./stores/store.js";
import { type SourceDocument, syncIndex } from "./sync.js";

/** A store in memory that writes down what it is asked to do. */
class RecordingStore implements Store {
  readonly embedding = undefined;
  readonly contents = new Map<string, DocumentChunks>();
  readonly calls: string[] = [];

  async replace(documents: readonly DocumentChunks[]): Promise<void> {
    this.calls.push(`replace ${documents.map(({ path }) => path).join(" ")}`);
    for (const document of documents) this.contents.set(document.path, document);
  }

  async remove(paths: readonly string[]): Promise<void> {
    this.calls.push(`remove ${paths.join(" ")}`);
    for (const path of paths) this.contents.delete(path);
  }

  async documents(): Promise<ReadonlyMap<string, string>> {
    return new Map([...this.contents.values()].map(({ path, hash }) => [path, hash]));
  }

  async chunks(path: string): Promise<StoredChunk[]> {
    const { hash, chunks } = this.contents.get(path) ?? { hash: "", chunks: [] };
    return chunks.map((chunk) => ({ ...chunk, path, documentHash: hash }));
  }

  count = async () => 0;
  query = async () => [];
  search = async () => [];
  verify = async () => {};
  compact = async () => {};
  snapshot = async () => {};
  close = async () => {};
  [Symbol.asyncDispose] = async () => {};
}

function source(path: string, text: string): SourceDocument {
  return { path, text, hash: `hash of ${text}` };
}

/** Cuts at spaces. */
function* chunk({ text }: SourceDocument): Generator<Chunk> {
  for (const { index, 0: word } of text.matchAll(/\S+/g)) {
    yield { start: index, end: index + word.length, text: word, headingPath: [], numTokens: 1 };
  }
}

describe("syncIndex", () => {
  let store: RecordingStore;
  beforeEach(() => {
    store = new RecordingStore();
  });

  it("adds, changes, removes and leaves alone", async () => {
    await syncIndex(store, [source("a", "one two"), source("b", "three"), source("c", "four")], { chunk });
    store.calls.length = 0;
    const now = [source("c", "four"), source("a", "one five"), source("d", "six seven eight")];
    expect(await syncIndex(store, now, { chunk })).toEqual({
      added: 1,
      changed: 1,
      removed: 1,
      unchanged: 1,
      chunks: 5,
    });
    expect(store.calls).toEqual(["replace a d", "remove b"]);
    store.calls.length = 0;
    expect(await syncIndex(store, now, { chunk })).toEqual({
      added: 0,
      changed: 0,
      removed: 0,
      unchanged: 3,
      chunks: 0,
    });
    expect(store.calls).toEqual([]);
  });

  it("writes in batches that keep documents whole", async () => {
    const documents = [source("a", "1 2 3"), source("b", ""), source("c", "4 5"), source("d", "6"), source("e", "7")];
    const result = await syncIndex(store, documents, { chunk, batchSizeChunks: 3 });
    expect(store.calls).toEqual(["replace a", "replace b c d", "replace e"]);
    expect(result).toEqual({ added: 5, changed: 0, removed: 0, unchanged: 0, chunks: 7 });
  });

  it("is finished by repeating it after an interruption", async () => {
    await syncIndex(store, [source("old", "x")], { chunk });
    const documents = [source("a", "1"), source("b", "2"), source("c", "3")];
    async function* interrupted(): AsyncGenerator<SourceDocument> {
      yield* documents.slice(0, 2);
      throw new Error("unplugged");
    }
    const options = { chunk, batchSizeChunks: 1 };
    await expect(syncIndex(store, interrupted(), options)).rejects.toThrow("unplugged");
    expect([...store.contents.keys()]).toEqual(["old", "a", "b"]);
    expect(await syncIndex(store, documents, options)).toMatchObject({ added: 1, unchanged: 2, removed: 1 });
    expect([...store.contents.keys()]).toEqual(["a", "b", "c"]);
  });

  it("keeps the ids of chunks whose text stays, and gives equal texts different ones", async () => {
    const ids = async () => (await store.chunks("a")).map(({ id, text }) => `${text} ${id}`);
    await syncIndex(store, [source("a", "same other same end")], { chunk });
    const before = await ids();
    expect(new Set(before).size).toBe(4);
    expect(before[0]).toMatch(/^same a#[0-9a-f]{8}$/);
    expect(before[2]).toBe(`${before[0]}.2`);
    await syncIndex(store, [source("a", "new same other same")], { chunk });
    expect((await ids()).slice(1)).toEqual(before.slice(0, 3));
  });

  it("embeds each new text once and keeps the vectors of old ones", async () => {
    const asked: string[][] = [];
    const embed = async (texts: readonly string[]) => {
      asked.push([...texts]);
      return texts.map((text) => new Float32Array([text.length]));
    };
    await syncIndex(store, [source("a", "one three one"), source("b", "three")], { chunk, embed });
    await syncIndex(store, [source("a", "one seven"), source("b", "three")], { chunk, embed });
    await syncIndex(store, [source("a", "one")], { chunk, embed });
    expect(asked).toEqual([["one", "three"], ["seven"]]);
    expect(store.contents.get("a")!.chunks[0]!.vector).toEqual(new Float32Array([3]));
  });

  it("does not accept a path twice or a wrong number of vectors", async () => {
    await expect(syncIndex(store, [source("a", "1"), source("a", "2")], { chunk })).rejects.toThrow(DataError);
    const embed = async () => [];
    await expect(syncIndex(store, [source("a", "1")], { chunk, embed })).rejects.toThrow("1 texts and returned 0");
    expect(store.contents.size).toBe(0);
  });

  it("hands on metadata, pages, parents and vectors that the chunker made", async () => {
    const vector = Float32Array.of(1, 0);
    const cut = { start: 0, end: 3, text: "one", headingPath: [], numTokens: 1, page: 2, parent: { start: 0, end: 7 } };
    const documents = [{ ...source("a", "one two"), metadata: { lang: "en" } }];
    let numEmbedded = 0;
    const embed = async (texts: readonly string[]) => {
      numEmbedded += texts.length;
      return texts.map(() => Float32Array.of(0, 1));
    };
    await syncIndex(store, documents, { chunk: () => [{ ...cut, vector }, cut], embed });
    const { metadata, chunks } = store.contents.get("a")!;
    expect(metadata).toEqual({ lang: "en" });
    expect(chunks.map(({ id: _, ...chunk }) => chunk)).toEqual([
      { ...cut, vector },
      { ...cut, vector: Float32Array.of(0, 1) },
    ]);
    expect(numEmbedded).toBe(1);
  });
});
