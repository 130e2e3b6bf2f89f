/** @file What every registered index of chunks keeps to when things go wrong: damage, two processes, sudden death. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect } from "vitest";
import { Rng } from "../../src/base/rng.js";
import { type Store, type StoreDef, StoreError, stores, syncIndex } from "../../src/retrieval/index.js";
import { caseOf, document, newFolder, newLocation, open, randomText, search, unitVector } from "./stores-support.js";

describe.each(Object.entries(stores))("store %s", (key, def: StoreDef) => {
  const run = caseOf(def);

  describe("trouble", () => {
    run("refuses to work after it was closed", async () => {
      const store = await open(def);
      await store.close();
      await store.close();
      await expect(store.count()).rejects.toThrow(StoreError);
      await expect(store.replace([])).rejects.toThrow(StoreError);
    });

    run("says so when the folder is a file", async () => {
      const path = join(newFolder(), "file");
      writeFileSync(path, "x");
      await expect(open(def, path)).rejects.toThrow(StoreError);
    });

    run("lets one writer in at a time", async () => {
      const folder = await newLocation(def);
      const first = await open(def, folder);
      const second = await open(def, folder);
      await first.replace([document("a.md", ["one"])]);
      await expect(second.replace([document("b.md", ["two"])])).rejects.toThrow(/another writer.*process \d+/);
      expect(await search(second, "one")).toEqual(["a.md#0"]);
      await first.close();
      await second.replace([document("b.md", ["two"])]);
      expect(await second.count()).toBe(2);
    });

    run("works or reports damage, and never crashes, when bytes of its files change", async () => {
      const rng = new Rng(5);
      let numReports = 0;
      for (let round = 0; round < 30; round++) {
        const folder = await filledFolder(def, rng);
        damage(folder, rng);
        try {
          await useAll(await open(def, folder), rng);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(StoreError);
          expect(String(thrown)).toContain("tessera index --rebuild");
          numReports++;
        }
      }
      expect(numReports).toBeGreaterThan(10);
    });

    run("verifies and compacts what it has", async () => {
      const rng = new Rng(6);
      const store = await open(def, await filledFolder(def, rng));
      const query = { text: randomText(rng, 4), vector: unitVector(rng, 16), limit: 20 };
      await store.remove(["d0.md", "d1.md"]);
      const before = await store.query(query);
      await store.compact();
      await store.verify();
      expect(await store.query(query)).toEqual(before);
      expect(await store.count()).toBe(54);
    });

    run("copies what it has while it is used", async () => {
      const rng = new Rng(6);
      const store = await open(def, await filledFolder(def, rng));
      const query = { text: randomText(rng, 4), vector: unitVector(rng, 16), limit: 20 };
      const copied = join(newFolder(), "copy");
      await store.snapshot(copied);
      await expect(store.snapshot(copied)).rejects.toThrow(StoreError);
      const before = await store.query(query);
      await store.replace([document("later.md", ["later"], [unitVector(rng, 16)])]);
      const copy = await open(def, copied);
      expect(await copy.query(query)).toEqual(before);
      expect((await copy.documents()).has("later.md")).toBe(false);
      await copy.replace([document("new.md", ["new"], [unitVector(rng, 16)])]);
      expect(await search(copy, "new")).toEqual(["new.md#0"]);
      await copy.verify();
    });

    run("is built again, empty, with another embedder", async () => {
      const location = await filledFolder(def, new Rng(7));
      const embedding = { model: "other", dimension: 3 };
      const store = await open(def, location, { embedding, rebuild: true });
      expect([await store.count(), (await store.documents()).size, store.embedding]).toEqual([0, 0, embedding]);
      await store.replace([document("a.md", ["x"], [Float32Array.of(0, 1, 0)])]);
      expect(await search(store, "x")).toEqual(["a.md#0"]);
      await store.verify();
    });

    run("brings an index up to date with the documents that changed", async () => {
      const store = await open(def);
      const source = (path: string, text: string) => ({ path, text, hash: text });
      const chunk = ({ text }: { text: string }) => document("", text.split("|")).chunks;
      await syncIndex(store, [source("a", "one|two"), source("b", "three"), source("c", "")], { chunk });
      const again = await syncIndex(store, [source("a", "one|four"), source("b", "three"), source("d", "five")], {
        chunk,
      });
      expect(again).toEqual({ added: 1, changed: 1, removed: 1, unchanged: 1, chunks: 3 });
      expect(await search(store, "two")).toEqual([]);
      expect(await search(store, "four five")).toHaveLength(2);
    });
  });

  describe("processes", () => {
    run("tells a second process that the first one writes, and lets it in when that is killed", async () => {
      const folder = await newLocation(def);
      const { child, lines } = startWriter(key, folder);
      await nextLine(lines);
      const store = await open(def, folder);
      await expect(store.replace([document("mine.md", ["x"])])).rejects.toThrow(`process ${child.pid}`);
      expect(await store.count()).toBeGreaterThan(0);
      child.kill("SIGKILL");
      await once(child, "exit");
      await store.replace([document("mine.md", ["x"])]);
      expect(await search(store, "x")).toEqual(["mine.md#0"]);
    });

    run("loses no acknowledged write and shows no half one when it is killed at any moment", async () => {
      const folder = await newLocation(def);
      const rng = new Rng(9);
      for (let round = 0; round < 4; round++) {
        const acknowledged = await writeUntilKilled(key, folder, 20 + rng.below(250));
        expect(acknowledged).toBeGreaterThan(0);
        const store = await def.open(folder);
        await store.verify();
        const hashes = await store.documents();
        const [written] = new Set(hashes.values());
        expect(new Set(hashes.values()).size).toBe(1);
        // the write that was under way may have been finished, but not be acknowledged
        expect([acknowledged, acknowledged + 1]).toContain(Number(written));
        expect(await store.count()).toBe(30);
        expect(await search(store, `version${written}`, 100)).toHaveLength(30);
        expect(await search(store, "common", 100)).toHaveLength(30);
        await store.close();
      }
    });
  });
});

async function filledFolder(def: StoreDef, rng: Rng): Promise<string> {
  const folder = await newLocation(def);
  const store = await def.open(folder, { embedding: { model: "m", dimension: 16 } });
  const documents = Array.from({ length: 20 }, (_, i) => {
    const texts = Array.from({ length: 3 }, () => randomText(rng, 60));
    return document(
      `d${i}.md`,
      texts,
      texts.map(() => unitVector(rng, 16)),
    );
  });
  await store.replace(documents);
  await store.close();
  return folder;
}

/** Cuts the largest file off, or overwrites a piece of it. */
function damage(folder: string, rng: Rng): void {
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const path = paths.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
  const bytes = readFileSync(path);
  const kind = rng.below(3);
  const start = rng.below(bytes.length);
  const length = kind === 0 ? 0 : kind === 1 ? 20_000 : 200;
  for (let i = start; i < Math.min(bytes.length, start + length); i++) bytes[i] = rng.below(256);
  writeFileSync(path, kind === 0 ? bytes.subarray(0, start) : bytes);
}

async function useAll(store: Store, rng: Rng): Promise<void> {
  await store.documents();
  await store.count();
  for (let n = 0; n < 5; n++) await store.query({ text: randomText(rng, 5), vector: unitVector(rng, 16), limit: 50 });
  for (let n = 0; n < 20; n++) await store.chunks(`d${n}.md`);
  await store.replace([document("d1.md", [randomText(rng, 50)], [unitVector(rng, 16)])]);
  await store.remove(["d2.md", "d3.md"]);
}

/** A process that replaces the same thirty chunks again and again, each time as a new version, and prints each that is done. */
function startWriter(name: string, folder: string): { child: ChildProcess; lines: AsyncIterator<string> } {
  const index = new URL("../../src/retrieval/index.ts", import.meta.url).href;
  const script = `
    import { stores } from ${JSON.stringify(index)};
    const store = await stores[${JSON.stringify(name)}].open(${JSON.stringify(folder)});
    const last = Number([...(await store.documents()).values()][0] ?? 0);
    for (let n = last + 1; ; n++) {
      await store.replace(Array.from({ length: 3 }, (_, d) => ({
        path: "d" + d, hash: String(n),
        chunks: Array.from({ length: 10 }, (_, c) => ({
          id: d + "#" + c, start: c, end: c + 1, headingPath: [], numTokens: 1,
          text: "common version" + n + " " + "filler ".repeat(n % 50),
        })),
      })));
      await new Promise((resolve) => process.stdout.write(n + "\\n", resolve));
    }`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() };
}

async function nextLine(lines: AsyncIterator<string>): Promise<number | undefined> {
  const { value, done } = await lines.next();
  return done === true ? undefined : Number(value);
}

/** @returns the last version that the process said was written. */
async function writeUntilKilled(name: string, folder: string, delayMs: number): Promise<number> {
  const { child, lines } = startWriter(name, folder);
  let last = await nextLine(lines);
  setTimeout(() => child.kill("SIGKILL"), delayMs);
  for (let line = last; line !== undefined; line = await nextLine(lines)) last = line;
  return last ?? 0;
}
