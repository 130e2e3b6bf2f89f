/** @file What every registered index of chunks keeps to: changes, ranking by text and by vector, odd words, refusals. */
import { describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../../src/base/errors.js";
import { Rng } from "../../src/base/rng.js";
import {
  type DocumentChunks,
  type Metadata,
  matches,
  type Store,
  type StoreDef,
  StoreError,
  stores,
} from "../../src/retrieval/index.js";
import { randomFilter, randomMetadata } from "../support/filter-samples.js";
import { document, newLocation, open, randomText, search, unitVector } from "./stores-support.js";

describe.each(Object.entries(stores))("store %s", (key, def: StoreDef) => {
  it("has its registry key as name", () => {
    expect(def.name).toBe(key);
  });

  describe("changes", () => {
    it("gives back what was stored, after reopening too", async () => {
      const folder = await newLocation(def);
      const first = await open(def, folder);
      const awkward = "\ufeffzero \0, half a pair \ud83d, quote ' \" and 😀\r\n";
      await first.replace([document("a/b.md", ["alpha beta", awkward]), document("empty.md", [])]);
      await first.close();
      const store = await open(def, folder);
      expect(await store.count()).toBe(2);
      expect([...(await store.documents())]).toEqual([
        ["a/b.md", "h"],
        ["empty.md", "h"],
      ]);
      const expected = document("a/b.md", ["alpha beta", awkward]).chunks;
      expect(await store.chunks("a/b.md")).toEqual(
        expected.map((chunk) => ({ ...chunk, path: "a/b.md", documentHash: "h" })),
      );
      const [hit] = await store.query({ text: "beta", limit: 1 });
      expect(hit).toMatchObject({ chunk: { id: "a/b.md#0", headingPath: ["Top"], numTokens: 7 }, ranks: { text: 1 } });
    });

    it("gives back metadata, page and parent", async () => {
      const store = await open(def);
      const [plain, child] = document("a.pdf", ["alpha", "beta"]).chunks;
      const chunks = [plain!, { ...child!, page: 3, parent: { start: 0, end: 40 } }];
      const metadata = { lang: "zh", year: 2021, ratio: 0.1, open: false, "odd 'name\"": "數據" };
      await store.replace([{ path: "a.pdf", hash: "h", chunks, metadata }]);
      expect(await store.chunks("a.pdf")).toEqual(
        chunks.map((chunk) => ({ ...chunk, path: "a.pdf", documentHash: "h", metadata })),
      );
      await store.replace([{ path: "a.pdf", hash: "h", chunks }]);
      expect((await store.chunks("a.pdf"))[0]).not.toHaveProperty("metadata");
      const bad = { path: "b.pdf", hash: "h", chunks: [], metadata: { a: Number.NaN } };
      await expect(store.replace([bad])).rejects.toThrow(DataError);
    });

    it("replaces all chunks of a document and leaves the others", async () => {
      const store = await open(def);
      await store.replace([
        document("a.md", ["red apple", "green pear", "blue plum"]),
        document("b.md", ["red brick"]),
      ]);
      await store.replace([document("a.md", ["yellow lemon"], undefined, "h2")]);
      expect(await search(store, "apple pear plum")).toEqual([]);
      expect(await search(store, "lemon")).toEqual(["a.md#0"]);
      expect(await search(store, "red")).toEqual(["b.md#0"]);
      expect((await store.documents()).get("a.md")).toBe("h2");
      expect(await store.count()).toBe(2);
    });

    it("removes documents and ignores unknown paths", async () => {
      const store = await open(def);
      await store.replace([document("a.md", ["red apple"]), document("b.md", ["red brick"])]);
      await store.remove(["a.md", "never.md"]);
      expect(await search(store, "red apple")).toEqual(["b.md#0"]);
      expect([...(await store.documents()).keys()]).toEqual(["b.md"]);
      expect(await store.chunks("a.md")).toEqual([]);
    });

    it("changes nothing when a call fails", async () => {
      const store = await open(def);
      await store.replace([document("a.md", ["old text"]), document("b.md", ["other"])]);
      const clash = { ...document("c.md", ["new text"]), chunks: document("b.md", ["stolen id"]).chunks };
      await expect(store.replace([document("a.md", ["new text"]), clash])).rejects.toThrow(DataError);
      await expect(store.replace([document("a.md", ["x"]), document("a.md", ["y"])])).rejects.toThrow(/given twice/);
      await expect(store.replace([document("a\0.md", ["x"])])).rejects.toThrow(DataError);
      expect(await search(store, "old new text stolen")).toEqual(["a.md#0"]);
      expect(await store.count()).toBe(2);
    });

    it("shows another reader the old or the new chunks, never a mixture", async () => {
      const folder = await newLocation(def);
      const writer = await open(def, folder);
      const version = (n: number) =>
        document(
          "a.md",
          Array.from({ length: 5 }, () => `common version${n}`),
        );
      await writer.replace([version(0)]);
      const reader = await open(def, folder);
      for (let n = 1; n <= 5; n++) {
        const [texts] = await Promise.all([
          reader.query({ text: "common", limit: 10 }).then((hits) => new Set(hits.map((hit) => hit.chunk.text))),
          writer.replace([version(n)]),
        ]);
        expect(texts.size).toBe(1);
        expect((await reader.chunks("a.md")).map((chunk) => chunk.text)).toEqual(Array(5).fill(`common version${n}`));
      }
    });

    it("ranks after many random changes as an index made afresh", async () => {
      const rng = new Rng(7);
      const changed = await open(def);
      const current = new Map<string, DocumentChunks>();
      for (let round = 0; round < 30; round++) {
        const batch = new Map(
          Array.from({ length: 1 + rng.below(5) }, () => {
            const path = `d${rng.below(25)}.md`;
            return [
              path,
              document(
                path,
                Array.from({ length: rng.below(4) }, () => randomText(rng, 1 + rng.below(40))),
              ),
            ];
          }),
        );
        await changed.replace([...batch.values()]);
        for (const [path, chunks] of batch) current.set(path, chunks);
        const gone = `d${rng.below(25)}.md`;
        await changed.remove([gone]);
        current.delete(gone);
      }
      const fresh = await open(def);
      await fresh.replace([...current.values()]);
      expect(await changed.count()).toBe(await fresh.count());
      for (let n = 0; n < 20; n++) {
        const query = { text: randomText(rng, 4), limit: 1000 };
        const scores = async (store: Store) =>
          new Map((await store.query(query)).map((hit) => [hit.chunk.id, Number(hit.score.toPrecision(9))]));
        expect(await scores(changed)).toEqual(await scores(fresh));
      }
    });
  });

  describe("search by text", () => {
    it("scores by BM25", async () => {
      const store = await open(def);
      // lengths 4, 2, 3 and the three words of path and heading: mean 6
      await store.replace([document("a.md", ["fox dog dog dog", "fox bird", "cow cow fox"])]);
      const score = (idf: number, count: number, length: number) =>
        (idf * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * (length + 3)) / 6));
      const common = Math.log(1 + 0.5 / 3.5);
      const rare = Math.log(1 + 2.5 / 1.5);
      const hits = await store.query({ text: "fox cow", limit: 10 });
      expect(hits.map((hit) => [hit.chunk.id, hit.score])).toEqual([
        ["a.md#2", expect.closeTo(score(common, 1, 3) + score(rare, 2, 3), 6)],
        ["a.md#1", expect.closeTo(score(common, 1, 2), 6)],
        ["a.md#0", expect.closeTo(score(common, 1, 4), 6)],
      ]);
    });

    it("prefers a rare word to a common one", async () => {
      const store = await open(def);
      const texts = Array.from({ length: 50 }, (_, i) => `the system reads the file number ${i}`);
      await store.replace([document("a.md", [...texts, "the quokka sleeps under a tree today"])]);
      expect((await search(store, "the quokka"))[0]).toBe("a.md#50");
      expect((await search(store, "what is the quokka of the system"))[0]).toBe("a.md#50");
    });

    it("keeps to the limit and to the paths", async () => {
      const store = await open(def);
      const texts = Array.from({ length: 20 }, (_, i) => `word ${"filler ".repeat(i)}`);
      await store.replace([document("a.md", texts), document("b.md", texts), document("c.md", ["nothing"])]);
      expect(await search(store, "word", 3)).toHaveLength(3);
      const all = await store.query({ text: "word", limit: 100, paths: ["b.md", "unknown.md"] });
      expect(all).toHaveLength(20);
      expect(all.every((hit) => hit.chunk.path === "b.md")).toBe(true);
      expect(await store.query({ text: "word", limit: 5, paths: [] })).toEqual([]);
      const scores = all.map((hit) => hit.score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
    });

    it("keeps to filters as `matches` says, and to scores as they are without", async () => {
      const rng = new Rng(4);
      const embedding = { model: "m", dimension: 16 };
      const store = await open(def, undefined, { embedding });
      const metadata = new Map(
        Array.from({ length: 60 }, (_, i): [string, Metadata] => [`d${i}.md`, randomMetadata(rng)]),
      );
      const documents = [...metadata].map(([path, of]) => ({
        ...document(path, [`word ${randomText(rng, 5)}`, "word"], [unitVector(rng, 16), unitVector(rng, 16)]),
        metadata: of,
      }));
      await store.replace(documents);
      await store.replace(documents.slice(0, 10).map((of) => ({ ...of, hash: "h2" })));
      const vector = unitVector(rng, 16);
      const all = new Map((await store.query({ text: "word", limit: 200 })).map((hit) => [hit.chunk.id, hit.score]));
      for (let n = 0; n < 30; n++) {
        const filter = randomFilter(rng);
        const expected = [...metadata].filter(([, of]) => matches(filter, of)).map(([path]) => path);
        for (const query of [{ text: "word" }, { vector }, { text: "word", vector }]) {
          const hits = await store.query({ ...query, limit: 200, filter });
          expect(new Set(hits.map((hit) => hit.chunk.path)), JSON.stringify(filter)).toEqual(new Set(expected));
          if ("vector" in query) continue;
          for (const { chunk, score } of hits) expect(score).toBeCloseTo(all.get(chunk.id)!, 9);
        }
        const some = await store.query({ text: "word", limit: 200, filter, paths: ["d1.md", "d2.md"] });
        expect(new Set(some.map((hit) => hit.chunk.path)).size).toBe(
          ["d1.md", "d2.md"].filter((path) => expected.includes(path)).length,
        );
      }
      await expect(store.query({ text: "word", limit: 1, filter: { $nor: [] } })).rejects.toThrow(ConfigError);
    });

    it("finds what was written another way", async () => {
      const store = await open(def);
      const texts = [
        "Café in Übersee",
        "ＦＵＬＬ width",
        "read_staleness of tidb",
        "two indexes, many queries",
        "caches",
      ];
      await store.replace([document("a.md", texts)]);
      for (const [i, query] of ["CAFE ubersee", "full", "staleness", "index query", "cache"].entries()) {
        expect(await search(store, query)).toEqual([`a.md#${i}`]);
      }
    });

    it("finds Chinese, Japanese, Korean and Thai by one, two and more characters", async () => {
      const store = await open(def);
      const texts = [
        "本文介绍如何读取历史数据",
        "事务提交之前的锁",
        "データベースの索引",
        "데이터베이스 색인",
        "ฐานข้อมูลขนาดใหญ่",
      ];
      await store.replace([document("a.md", texts)]);
      const expected = {
        历史: 0,
        事务: 1,
        锁: 1,
        读取历史数据: 0,
        データ: 2,
        索引: 2,
        색인: 3,
        ข้อมูล: 4,
        "TiDB 事务": 1,
      };
      for (const [query, chunk] of Object.entries(expected))
        expect(await search(store, query)).toEqual([`a.md#${chunk}`]);
      expect(await search(store, "据历")).toEqual([]);
    });

    it.each([
      ["nothing", ""],
      ["white space", " \n\t"],
      ["only common words", "the of and is"],
      ["quotes", `"fox`],
      ["more quotes", `' OR '1'='1`],
      ["operators", "fox AND OR NOT NEAR(dog) * ^ - + ( ) { } : text:fox fox*"],
      ["SQL", `'; drop table chunks; --`],
      ["zeros and half pairs", "fox\0\ud800 dog\udc00"],
      ["emoji and marks", "🦊 👨‍👩‍👧‍👦 e\u0301\u0301\u0301 \u0301"],
      ["JSON", `["fox"]`],
      ["100 kB of words", Array.from({ length: 17_000 }, (_, i) => `w${i}`).join(" ")],
      ["100 kB of one word", "f".repeat(100_000)],
      ["100 kB of Chinese", "数据库".repeat(33_000)],
    ])("takes %s as words, whatever it looks like", async (_, text) => {
      const store = await open(def);
      await store.replace([document("a.md", ["the quick brown fox", "a lazy dog", "text of chunks"])]);
      const hits = await store.query({ text, limit: 5 });
      expect(hits.length).toBeLessThanOrEqual(3);
      expect((await store.query({ text, limit: 5, paths: [text, "a.md"] })).length).toBe(hits.length);
      expect(await store.count()).toBe(3);
    });

    it("keeps odd paths apart", async () => {
      const store = await open(def);
      const paths = [
        "a'b.md",
        'a"b.md',
        "a%.md",
        "a_.md",
        "a b.md",
        "ä.md",
        "数据.md",
        "a;drop table chunks.md",
        '["x"]',
      ];
      await store.replace(paths.map((path) => document(path, ["same words"])));
      await store.remove(["a%.md"]);
      for (const path of paths) {
        const found = await store.query({ text: "words", limit: 10, paths: [path] });
        expect(found.map((hit) => hit.chunk.path)).toEqual(path === "a%.md" ? [] : [path]);
      }
    });

    it("refuses a query that asks for nothing", async () => {
      const store = await open(def);
      for (const limit of [0, -1, 1.5, Number.NaN]) {
        await expect(store.query({ text: "a", limit })).rejects.toThrow(ConfigError);
      }
      await expect(store.query({ limit: 3 })).rejects.toThrow(/text, a vector or both/);
      await expect(store.query({ vector: new Float32Array([1]), limit: 3 })).rejects.toThrow(/text only/);
    });
  });

  describe("search by vector", () => {
    const embedding = { model: "test-model", dimension: 48 };

    async function clustered(numVectors: number): Promise<{ store: Store; vectors: Float32Array[]; rng: Rng }> {
      const rng = new Rng(11);
      const centres = Array.from({ length: 20 }, () => unitVector(rng, embedding.dimension));
      const vectors = Array.from({ length: numVectors }, (_, i) =>
        unitVector(rng, embedding.dimension, centres[i % 20]),
      );
      const store = await open(def, await newLocation(def), { embedding });
      const texts = vectors.map((_, i) => `number${i} ${randomText(rng, 5)}`);
      await store.replace([document("v.md", texts, vectors)]);
      return { store, vectors, rng };
    }

    function nearest(vectors: readonly Float32Array[], query: Float32Array, k: number): string[] {
      const scores = vectors.map((vector) => vector.reduce((sum, x, i) => sum + x * query[i]!, 0));
      const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
      return order.slice(0, k).map((i) => `v.md#${i}`);
    }

    it("finds what brute force finds", async () => {
      const { store, vectors, rng } = await clustered(800);
      let found = 0;
      for (let n = 0; n < 50; n++) {
        const query = unitVector(rng, embedding.dimension, vectors[rng.below(800)]);
        const hits = (await store.query({ vector: query, limit: 10 })).map((hit) => hit.chunk.id);
        found += nearest(vectors, query, 10).filter((id) => hits.includes(id)).length;
      }
      expect(found / 500).toBeGreaterThan(0.97);
    });

    it("finds as well after a third was replaced and a tenth removed", async () => {
      const { store, vectors, rng } = await clustered(900);
      const recall = async (current: ReadonlyMap<string, Float32Array>): Promise<number> => {
        let found = 0;
        for (let n = 0; n < 40; n++) {
          const query = unitVector(rng, embedding.dimension, vectors[rng.below(900)]);
          const score = (vector: Float32Array): number => vector.reduce((sum, x, i) => sum + x * query[i]!, 0);
          const scores = [...current].map(([id, vector]) => [id, score(vector)] as const);
          const best = scores.sort(([, a], [, b]) => b - a).slice(0, 10);
          const hits = new Set((await store.query({ vector: query, limit: 10 })).map((hit) => hit.chunk.id));
          found += best.filter(([id]) => hits.has(id)).length;
        }
        return found / 400;
      };
      const current = new Map(vectors.map((vector, i) => [`v.md#${i}`, vector]));
      const before = await recall(current);
      for (let d = 0; d < 30; d++) {
        const fresh = Array.from({ length: 10 }, () => unitVector(rng, embedding.dimension, vectors[rng.below(900)]));
        const path = `n${d % 25}.md`;
        await store.replace([
          document(
            path,
            fresh.map(() => "new"),
            fresh,
          ),
        ]);
        for (const [i, vector] of fresh.entries()) current.set(`${path}#${i}`, vector);
      }
      await store.remove(["n0.md", "n1.md", "n2.md", "n3.md", "n4.md"]);
      for (const id of current.keys()) if (/^n[0-4]\.md#/.test(id)) current.delete(id);
      expect(await store.count()).toBe(current.size);
      expect(await recall(current)).toBeGreaterThan(before - 0.01);
    });

    it("gives cosine similarity, the vector and the rank", async () => {
      const { store, vectors } = await clustered(100);
      const [first, second] = await store.query({ vector: vectors[42]!, limit: 2 });
      expect(first).toMatchObject({ chunk: { id: "v.md#42", vector: vectors[42] }, ranks: { vector: 1 } });
      expect(first!.score).toBeCloseTo(1, 5);
      expect(second!.ranks).toEqual({ vector: 2 });
      expect(await store.query({ vector: vectors[42]!, limit: 5, paths: ["other.md"] })).toEqual([]);
    });

    it("fuses both lists", async () => {
      const { store, vectors } = await clustered(300);
      const hits = await store.query({ text: "number7", vector: vectors[7]!, limit: 5 });
      expect(hits[0]).toMatchObject({ chunk: { id: "v.md#7" }, score: 2 / 61, ranks: { text: 1, vector: 1 } });
      expect(hits).toHaveLength(5);
      const apart = await store.query({ text: "number3", vector: vectors[7]!, limit: 2 });
      expect(new Set(apart.map((hit) => hit.chunk.id))).toEqual(new Set(["v.md#3", "v.md#7"]));
      const unknown = await store.query({ text: "", vector: vectors[7]!, limit: 1 });
      expect(unknown[0]!.ranks).toEqual({ vector: 1 });
    });

    it("forgets vectors of replaced chunks and finds again after reopening", async () => {
      const folder = await newLocation(def);
      const rng = new Rng(3);
      const first = await open(def, folder, { embedding });
      const [old, now, other] = [0, 1, 2].map(() => unitVector(rng, embedding.dimension));
      await first.replace([document("a.md", ["x"], [old!]), document("b.md", ["y"], [other!])]);
      await first.replace([document("a.md", ["x"], [now!])]);
      await first.close();
      const store = await open(def, folder);
      expect(store.embedding).toEqual(embedding);
      const hits = await store.query({ vector: now!, limit: 5 });
      expect(hits.map((hit) => hit.chunk.id)).toEqual(["a.md#0", "b.md#0"]);
      expect(hits[0]!.score).toBeCloseTo(1, 5);
      await store.remove(["a.md"]);
      expect((await store.query({ vector: now!, limit: 5 })).map((hit) => hit.chunk.id)).toEqual(["b.md#0"]);
    });

    it("shows another reader what was written since its last search", async () => {
      const folder = await newLocation(def);
      const rng = new Rng(4);
      const writer = await open(def, folder, { embedding });
      const reader = await open(def, folder);
      const target = unitVector(rng, embedding.dimension);
      for (let n = 1; n <= 4; n++) {
        await writer.replace([document(`${n}.md`, ["same words"], [unitVector(rng, embedding.dimension, target)])]);
        expect(await reader.query({ text: "words", vector: target, limit: 9 })).toHaveLength(n);
        expect(await reader.query({ vector: target, limit: 9 })).toEqual(
          await writer.query({ vector: target, limit: 9 }),
        );
      }
    });

    it("refuses vectors that do not fit", async () => {
      const store = await open(def, await newLocation(def), { embedding });
      const wrong = [undefined, new Float32Array(47), new Float32Array(48), new Float32Array(48).fill(Number.NaN)];
      for (const vector of wrong) {
        const vectors = vector === undefined ? undefined : [vector];
        await expect(store.replace([document("a.md", ["x"], vectors)])).rejects.toThrow(DataError);
        if (vector !== undefined) await expect(store.query({ vector, limit: 1 })).rejects.toThrow(ConfigError);
      }
      const textOnly = await open(def);
      await expect(textOnly.replace([document("a.md", ["x"], [new Float32Array(48)])])).rejects.toThrow(/text only/);
    });

    it("says what to do when it is opened with another embedder", async () => {
      const folder = await newLocation(def);
      await (await open(def, folder, { embedding })).close();
      const other = { model: "test-model", dimension: 64 };
      await expect(open(def, folder, { embedding: other })).rejects.toThrow(StoreError);
      await expect(open(def, folder, { embedding: other })).rejects.toThrow(
        /dimension 64.*dimension 48.*tessera index --rebuild/,
      );
      const sameSize = { model: "other-model", dimension: 48 };
      await expect(open(def, folder, { embedding: sameSize })).rejects.toThrow(/other-model.*test-model/);
      const textOnly = await newLocation(def);
      await (await open(def, textOnly)).close();
      await expect(open(def, textOnly, { embedding })).rejects.toThrow(/has no vectors; build it again/);
      await expect(open(def, await newLocation(def), { embedding: { model: "m", dimension: 0 } })).rejects.toThrow(
        ConfigError,
      );
    });
  });
});
