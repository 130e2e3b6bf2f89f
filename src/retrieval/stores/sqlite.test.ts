/** @file What is particular to the SQLite index: stamps, checksums, density, its log. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqlite, sqlite } from "./sqlite.js";
import { loadDriver } from "./sqlite-driver.js";
import { StoreError } from "./store.js";

const { DatabaseSync } = await loadDriver();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tessera-sqlite-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function changeFile(sql: string): void {
  const database = new DatabaseSync(join(folder, "index.sqlite"));
  database.exec(sql);
  database.close();
}

const chunk = { id: "a#0", start: 0, end: 5, text: "hello", headingPath: [], numTokens: 1 };
const document = { path: "a", hash: "h", chunks: [chunk] };

describe("the SQLite index", () => {
  it.each([
    [2, "build it again"],
    [99, "use a newer Tessera, or build it again"],
  ])("does not read format version %i and says what to do", async (version, advice) => {
    await (await sqlite.open(folder)).close();
    changeFile(`pragma user_version = ${version}`);
    await expect(sqlite.open(folder)).rejects.toThrow(StoreError);
    await expect(sqlite.open(folder)).rejects.toThrow(new RegExp(`has format ${version}; ${advice}`));
  });

  it("leaves a database of another program alone", async () => {
    changeFile("create table theirs (x)");
    await expect(sqlite.open(folder)).rejects.toThrow(/another program's; choose another folder/);
    expect(readdirSync(folder)).toEqual(["index.sqlite"]);
  });

  it.each([
    ["a chunk", "update chunks set content = replace(content, 'hello', 'hullo') where path = 'a'"],
    ["a chunk", "update chunks set path = 'b' where path = 'a'"],
    ["a chunk", "update chunks set id = 'a#1' where path = 'a'"],
    ["a chunk", "update chunks set content = x'00' where path = 'a'"],
    ["a document", "update documents set metadata = '{}'"],
    ["a document", "update documents set hash = 'g'"],
    ["a vector", "update vectors set data = (select data from vectors where slot = 1) where slot = 0"],
    ["a block of codes", "update codes set scales = errors"],
    ["a block of lengths", "update lengths set data = cast(substr(data, 5) || x'01000000' as blob)"],
    ["an inverted list", "update postings set data = cast(data || x'01000100' as blob) where term = 'hello'"],
  ])("notices %s that was changed behind its back, when it is read and when it is verified", async (what, change) => {
    const open = () => sqlite.open(folder, { embedding: { model: "m", dimension: 2 } });
    const [vector, other] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
    const store = await open();
    await store.replace([
      { ...document, chunks: [{ ...chunk, vector }], metadata: { lang: "en" } },
      { path: "b", hash: "h", chunks: [{ ...chunk, id: "b#0", text: "bye", vector: other }] },
    ]);
    await store.verify();
    await store.close();
    changeFile(change);
    const damaged = new RegExp(`damaged \\(${what} with a wrong checksum\\).*tessera index --rebuild`);
    await using again = await open();
    await expect(again.verify()).rejects.toThrow(damaged);
    await expect(again.query({ text: "hello", vector, limit: 3, filter: { lang: { $ne: "zh" } } })).rejects.toThrow(
      damaged,
    );
  });

  it("notices rows that are gone when it is verified", async () => {
    await using store = await sqlite.open(folder);
    await store.replace([document]);
    changeFile("delete from chunks");
    await expect(store.verify()).rejects.toThrow(/missing or too many/);
  });

  it("is built again whatever is there, but not over another program's database", async () => {
    const path = join(folder, "index.sqlite");
    const breakages = [
      () => changeFile("pragma user_version = 2"),
      () => changeFile("update lengths set data = x'00'"),
      () => truncateSync(path, 5000),
      () => writeFileSync(path, "no database"),
    ];
    for (const breakIt of breakages) {
      const store = await sqlite.open(folder, { rebuild: true });
      expect(await store.count()).toBe(0);
      await store.replace([document]);
      await store.close();
      breakIt();
      await expect(sqlite.open(folder).then((opened) => opened.verify())).rejects.toThrow(/tessera index --rebuild/);
    }
    await using store = await sqlite.open(folder, { rebuild: true, embedding: { model: "m", dimension: 3 } });
    expect([await store.count(), store.embedding?.dimension]).toEqual([0, 3]);
    const theirs = join(folder, "theirs");
    mkdirSync(theirs);
    const database = new DatabaseSync(join(theirs, "index.sqlite"));
    database.exec("create table theirs (x)");
    database.close();
    await expect(sqlite.open(theirs, { rebuild: true })).rejects.toThrow(/another program's/);
  });

  it("is not built again under a writer, and an older handle is told", async () => {
    const writer = await sqlite.open(folder);
    const reader = await sqlite.open(folder);
    await writer.replace([document]);
    await expect(sqlite.open(folder, { rebuild: true })).rejects.toThrow(/another writer/);
    expect(await reader.count()).toBe(1);
    await writer.close();
    await using fresh = await sqlite.open(folder, { rebuild: true });
    await expect(reader.replace([document])).rejects.toThrow(/built again since it was opened here/);
    await reader.close();
    expect(await fresh.count()).toBe(0);
    await fresh.replace([document]);
  });

  it("says that the disk is full, and keeps what it had", async () => {
    const driver = await loadDriver();
    const options: { maxPages: number }[] = [];
    class SmallDisk extends driver.DatabaseSync {
      constructor(path: string, openOptions?: { readonly timeout?: number }) {
        super(path, { timeout: 0, ...openOptions });
        for (const { maxPages } of options) this.exec(`pragma max_page_count = ${maxPages}`);
      }
    }
    await (await sqlite.open(folder)).close();
    options.push({ maxPages: 60 });
    await using store = openSqlite({ DatabaseSync: SmallDisk }, folder);
    await store.replace([document]);
    const large = Array.from({ length: 100 }, (_, i) => ({ ...chunk, id: `b#${i}`, text: `w${i} `.repeat(800) }));
    await expect(store.replace([{ path: "b", hash: "h", chunks: large }])).rejects.toThrow(
      /disk is full; nothing was changed; make room/,
    );
    expect([...(await store.documents()).keys()]).toEqual(["a"]);
    await store.verify();
    await store.replace([{ ...document, hash: "h2" }]);
  });

  it("notices search results that are not there", async () => {
    await using store = await sqlite.open(folder);
    await store.replace([document]);
    changeFile("delete from chunks");
    await expect(store.query({ text: "hello", limit: 1 })).rejects.toThrow(/without a chunk/);
    await store.close();
    changeFile("update lengths set data = x'0011'");
    await using again = await sqlite.open(folder);
    await expect(again.query({ text: "hello", limit: 1 })).rejects.toThrow(/wrong length|wrong size/);
  });

  it("stays as dense as it was however often it changes", async () => {
    await using store = await sqlite.open(folder);
    for (let n = 0; n < 20; n++) await store.replace([{ ...document, hash: `${n}` }]);
    const database = new DatabaseSync(join(folder, "index.sqlite"));
    expect(database.prepare("select max(slot) as slot from chunks").get()).toMatchObject({ slot: 0 });
    expect(database.prepare("select count(*) as n from postings").get()).toMatchObject({ n: 2 });
    database.close();
    await store.remove(["a"]);
    expect(await store.query({ text: "hello", limit: 1 })).toEqual([]);
  });

  it("gives room back when it is compacted", async () => {
    await using store = await sqlite.open(folder);
    const chunks = Array.from({ length: 300 }, (_, i) => ({ ...chunk, id: `b#${i}`, text: `word${i} `.repeat(50) }));
    await store.replace([document, { path: "b", hash: "h", chunks }]);
    await store.remove(["b"]);
    await store.compact();
    expect(statSync(join(folder, "index.sqlite")).size).toBeLessThan(100_000);
    expect(await store.query({ text: "hello", limit: 5 })).toHaveLength(1);
    await store.verify();
  });

  it("searches what others changed, in blocks that it has in memory", async () => {
    const embedding = { model: "m", dimension: 2 };
    await using writer = await sqlite.open(folder, { embedding });
    await using reader = await sqlite.open(folder);
    const vectors = [Float32Array.of(1, 0), Float32Array.of(0, 1), Float32Array.of(-1, 0)];
    // more than a page of codes and more than a block of lengths
    for (const [d, size] of [300, 8300].entries()) {
      const chunks = Array.from({ length: size }, (_, i) => ({ ...chunk, id: `${d}#${i}`, vector: vectors[d]! }));
      await writer.replace([{ path: `${d}`, hash: "h", chunks }]);
    }
    const found = async () => {
      const [nearest] = await reader.query({ vector: vectors[0]!, limit: 1 });
      return [nearest!.chunk.path, (await reader.query({ text: "hello", limit: 9000 })).length];
    };
    expect(await found()).toEqual(["0", 8600]);
    await writer.replace([{ path: "2", hash: "h", chunks: [{ ...chunk, id: "2#0", vector: vectors[0]! }] }]);
    await writer.remove(["0"]);
    expect(await found()).toEqual(["2", 8301]);
    await writer.remove(["1"]);
    expect(await found()).toEqual(["2", 1]);
    await writer.replace([{ path: "2", hash: "h2", chunks: [{ ...chunk, id: "2#0", vector: vectors[2]! }] }]);
    const [hit] = await reader.query({ vector: vectors[2]!, limit: 1 });
    expect(hit).toMatchObject({ chunk: { id: "2#0", documentHash: "h2" } });
    expect(hit!.score).toBeCloseTo(1, 5);
  });

  it("leaves an empty log when the writer closes", async () => {
    const store = await sqlite.open(folder);
    await store.replace([document]);
    await store.close();
    const database = new DatabaseSync(join(folder, "index.sqlite"));
    expect(database.prepare("pragma wal_checkpoint(passive)").get()).toMatchObject({ log: 0 });
    database.close();
  });
});
