/** @file Watching real folders: what editors, moves, links and deletions do, waited for by events with a deadline. */
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pdfFile } from "../../test/support/pdf.js";
import { ConfigError, DataError } from "../base/errors.js";
import { type WatchOptions, watchFolder } from "./watch-folder.js";

let root: string;
let stop: AbortController;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "watch-"));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(root, { recursive: true, force: true });
});

const at = (...names: string[]): string => join(root, ...names);

/** Changes as words, gathered by the round in which they were found. */
class Watched {
  readonly #changes: AsyncGenerator<Parameters<typeof wordsOf>[0]>;

  constructor(options: WatchOptions = {}) {
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]);
    this.#changes = watchFolder(root, { quietMs: 20, signal, ...options });
  }

  /** Everything up to the change that is waited for, and to the end of its round. */
  async until(expected: string): Promise<string[]> {
    const seen: string[] = [];
    for (;;) {
      const next = await this.#changes.next();
      if (next.done) throw new Error(`no "${expected}" in time; there were: ${seen.join(", ")}`);
      if (next.value.kind === "settled" && seen.includes(expected)) return seen;
      if (next.value.kind !== "settled") seen.push(wordsOf(next.value));
    }
  }

  /** The rest, after stopping. */
  async end(): Promise<string[]> {
    stop.abort();
    const rest: string[] = [];
    for await (const change of this.#changes) if (change.kind !== "settled") rest.push(wordsOf(change));
    return rest;
  }
}

type FolderChange = ReturnType<typeof watchFolder> extends AsyncGenerator<infer Change> ? Change : never;

function wordsOf(change: FolderChange): string {
  if (change.kind === "skip") return `skip ${change.path}: ${change.reason}`;
  if (change.kind === "settled") return "settled";
  return `${change.kind} ${change.kind === "removed" ? change.path : `${change.document.path} ${change.document.text}`}`;
}

describe("watchFolder", () => {
  it("begins with what is there, then says what comes, changes and goes", async () => {
    await writeFile(at("a.md"), "1");
    await writeFile(at("b.png"), "x");
    const watched = new Watched();
    expect(await watched.until("added a.md 1")).toEqual(["added a.md 1", "skip b.png: unsupported type"]);
    await writeFile(at("c.md"), "new");
    expect((await watched.until("added c.md new")).at(-1)).toBe("added c.md new");
    await writeFile(at("a.md"), "2");
    expect((await watched.until("changed a.md 2")).at(-1)).toBe("changed a.md 2");
    await rm(at("c.md"));
    expect(await watched.until("removed c.md")).toEqual(["removed c.md"]);
    expect(await watched.end()).toEqual([]);
  });

  it("names the pages of a document that are pictures", async () => {
    await writeFile(at("a.pdf"), pdfFile([{ texts: [{ x: 72, y: 700, text: "Words." }] }, { hasPicture: true }]));
    const watched = new Watched();
    expect(await watched.until("added a.pdf Words.")).toContain("skip a.pdf: pages without text");
  });

  it("sees a file that is replaced by renaming, as editors save, as changed", async () => {
    await writeFile(at("a.md"), "1");
    const watched = new Watched();
    await watched.until("added a.md 1");
    await writeFile(at(".a.md.swp"), "2");
    await rename(at(".a.md.swp"), at("a.md"));
    expect(await watched.until("changed a.md 2")).toEqual(["changed a.md 2"]);
  });

  it("says nothing of a file that is touched, and removes one that is no document any more", async () => {
    await writeFile(at("a.md"), "1");
    await writeFile(at("b.md"), "1");
    const watched = new Watched();
    await watched.until("added b.md 1");
    await utimes(at("a.md"), 1, 1);
    await writeFile(at("b.md"), "\0");
    const seen = await watched.until("skip b.md: binary");
    // a file that is being written may be found empty first
    expect(seen.filter((change) => change !== "skip b.md: empty")).toEqual(["removed b.md", "skip b.md: binary"]);
  });

  it("finds files in folders that are new, moved, deleted, and there again", async () => {
    await mkdir(at("sub"));
    await writeFile(at("sub", "a.md"), "1");
    const watched = new Watched();
    await watched.until("added sub/a.md 1");
    await mkdir(at("new", "deep"), { recursive: true });
    await writeFile(at("new", "deep", "b.md"), "2");
    await watched.until("added new/deep/b.md 2");
    await rename(at("new"), at("moved"));
    expect(await watched.until("added moved/deep/b.md 2")).toContain("removed new/deep/b.md");
    await rm(at("sub"), { recursive: true });
    await watched.until("removed sub/a.md");
    await mkdir(at("sub"));
    await writeFile(at("sub", "a.md"), "3");
    await watched.until("added sub/a.md 3");
    await writeFile(at("sub", "a.md"), "4");
    await watched.until("changed sub/a.md 4");
  });

  it("follows links inside the folder, to files in hidden folders too", async () => {
    await mkdir(at(".hidden"));
    await writeFile(at(".hidden", "a.md"), "1");
    await symlink(at(".hidden", "a.md"), at("link.md"));
    await symlink(root, at("loop"));
    const watched = new Watched();
    expect(await watched.until("added link.md 1")).toEqual(["added link.md 1", "skip loop: link loop"]);
    await writeFile(at(".hidden", "a.md"), "2");
    await watched.until("changed link.md 2");
    await rm(at("link.md"));
    expect(await watched.until("removed link.md")).toEqual(["removed link.md"]);
  });

  it("takes a folder that disappears for empty, until it is back", async () => {
    await writeFile(at("a.md"), "1");
    const watched = new Watched();
    await watched.until("added a.md 1");
    await rm(root, { recursive: true });
    expect(await watched.until("removed a.md")).toEqual(["removed a.md"]);
    await mkdir(root);
    await writeFile(at("a.md"), "2");
    await watched.until("added a.md 2");
    await writeFile(at("a.md"), "3");
    await watched.until("changed a.md 3");
  });

  it("watches a single file", async () => {
    await writeFile(at("a.md"), "1");
    root = at("a.md");
    const watched = new Watched();
    await watched.until("added a.md 1");
    await writeFile(root, "2");
    await watched.until("changed a.md 2");
  });

  it("ends when it is told to, and refuses what it cannot watch", async () => {
    const watched = new Watched();
    expect(await watched.end()).toEqual([]);
    await expect(watchFolder(at("missing")).next()).rejects.toThrow(DataError);
    await expect(watchFolder(root, { quietMs: -1 }).next()).rejects.toThrow(ConfigError);
    await expect(watchFolder(root, { pollMs: Number.NaN }).next()).rejects.toThrow(ConfigError);
  });
});
