/** @file What is particular to the SQLite index: stamps, checksums, density, its log. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqlite } from "./sqlite.js";
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
    [0, "delete the folder"],
    [99, "use a newer Tessera, or delete the folder"],
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

  it("notices text and sources that were changed behind its back", async () => {
    for (const change of [
      "content = replace(content, 'hello', 'hullo')",
      "path = 'b'",
      "id = 'a#1'",
      "content = x'00'",
    ]) {
      await using store = await sqlite.open(folder);
      await store.replace([document]);
      changeFile(`update chunks set ${change}; insert or ignore into documents values ('b', 'h')`);
      await expect(store.query({ text: "hello", limit: 1 })).rejects.toThrow(/wrong checksum.*delete the folder/);
      await store.close();
      rmSync(folder, { recursive: true });
    }
  });

  it("notices search results that are not there", async () => {
    await using store = await sqlite.open(folder);
    await store.replace([document]);
    changeFile("delete from chunks");
    await expect(store.query({ text: "hello", limit: 1 })).rejects.toThrow(/without a chunk/);
    changeFile("update lengths set data = x'0011'");
    await expect(store.query({ text: "hello", limit: 1 })).rejects.toThrow(/wrong length|wrong size/);
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

  it("leaves an empty log when the writer closes", async () => {
    const store = await sqlite.open(folder);
    await store.replace([document]);
    await store.close();
    const database = new DatabaseSync(join(folder, "index.sqlite"));
    expect(database.prepare("pragma wal_checkpoint(passive)").get()).toMatchObject({ log: 0 });
    database.close();
  });
});
