/** @file Documents as the Studio serves them: real files of four kinds, cut, shown, changed, indexed anew. */

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pdfFile } from "../../../test/support/pdf.js";
import { createStudioApp } from "../../server/studio/app.js";
import type { CutResponse, DocumentList, ErrorResponse, ShownDocument } from "../../server/studio/wire/index.js";
import { KnowledgeBase } from "../knowledge-base/knowledge-base.js";
import type { IndexSettings } from "../knowledge-base/settings.js";
import { openStudio, type Studio } from "./studio.js";

let root: string;
let folder: string;
let studio: Studio | undefined;

const sentences = Array.from({ length: 40 }, (_, i) => `Sentence number ${i} tells of the pump.`).join(" ");
const chinese = "气泵在四十度时启动。九分钟后停止。".repeat(30);
const python = "class Pump:\n    def start(self):\n        return 40\n\n    def stop(self):\n        return 9\n";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-documents-"));
  folder = join(root, "docs");
  await mkdir(join(folder, "guide"), { recursive: true });
  await writeFile(join(root, "secret.txt"), "not indexed");
  await writeFile(join(folder, "guide", "pump.md"), `# Pump\n\n## Start\n\n${sentences}\n`);
  await writeFile(join(folder, "气泵.md"), `# 气泵\n\n${chinese}\n`);
  await writeFile(join(folder, "pump.py"), python);
  const texts = [{ x: 72, y: 700, text: "The pump is serviced on this page of the manual." }];
  await writeFile(join(folder, "manual.pdf"), pdfFile([{ texts }, { texts }]));
  await writeFile(join(folder, "picture.png"), new Uint8Array([137, 80, 78, 71]));
});
afterEach(async () => {
  await studio?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

async function open(settings: Partial<IndexSettings> = {}) {
  const workspace = join(root, "workspace");
  {
    const all = { embedder: "none", code: true, maxTokens: 64, overlapTokens: 16, ...settings };
    await using knowledge = await KnowledgeBase.open(folder, { workspace, settings: all });
    await knowledge.sync();
  }
  studio = await openStudio({ folder, workspace });
  const app = createStudioApp(studio, { assets: new Map() });
  const post = (path: string, body: object, signal?: AbortSignal) =>
    app.request(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  const show = async (path: string) =>
    (await (await app.request(`/api/document?${new URLSearchParams({ path })}`)).json()) as ShownDocument;
  const cut = async ({ path, hash }: ShownDocument, settings: object) =>
    (await (await post("/api/document/cut", { path, hash, ...settings })).json()) as CutResponse & ErrorResponse;
  return { app, studio, post, show, cut };
}

const textsOf = ({ text }: ShownDocument, { chunks }: CutResponse): string[] =>
  chunks.map(({ start, end }) => text.slice(start, end));

describe("documents in the Studio", () => {
  it("lists what is indexed with its chunks, and what was left out with the reason", async () => {
    const { app, studio, show } = await open();
    const list = (await (await app.request("/api/documents")).json()) as DocumentList;
    expect(list.documents.map(({ path }) => path)).toEqual(["guide/pump.md", "manual.pdf", "pump.py", "气泵.md"]);
    for (const { path, numChunks } of list.documents) expect((await show(path)).chunks).toHaveLength(numChunks);
    expect(list.chunkers.find(({ name }) => name === "semantic")).toMatchObject({ isOffered: false });
    expect(list.chunkers.find(({ name }) => name === "recursive")).toMatchObject({ isOffered: true });
    expect(studio.live.current.index).toMatchObject({
      cutting: { maxTokens: 64, overlapTokens: 16, code: true },
      skipped: [{ path: "picture.png", reason: "unsupported type" }],
    });
  });

  it("shows the text of the file with the chunks of the index at their places", async () => {
    const { show } = await open();
    const pump = await show("guide/pump.md");
    expect(pump).toMatchObject({ mediaType: "text/markdown", hasChanged: false });
    expect(pump.text).toContain("## Start\n\nSentence number 0");
    expect(pump.chunks.at(-1)!.headingPath).toEqual(["Pump", "Start"]);
    expect(pump.chunks.at(-1)!.start).toBeLessThan(pump.chunks.at(-2)!.end);
    expect((await show("pump.py")).chunks.map(({ headingPath }) => headingPath.join("."))).toContain("Pump");
    expect((await show("气泵.md")).text).toContain(chinese);
    const manual = await show("manual.pdf");
    expect(manual.numPages).toBe(2);
    expect(manual.chunks[0]).toMatchObject({ page: 1 });
    expect(manual.text.slice(manual.chunks[0]!.start, manual.chunks[0]!.end)).toContain("serviced on this page");
  });

  it("cuts one document in another way and leaves the index as it is", async () => {
    const { show, cut } = await open();
    const document = await show("guide/pump.md");
    const single = await cut(document, { chunker: "sentence", maxTokens: 10, overlapTokens: 0 });
    expect(single.chunks.length).toBeGreaterThanOrEqual(40);
    expect(textsOf(document, single)).toContain("Sentence number 7 tells of the pump.");
    expect(Math.max(...single.chunks.map(({ numTokens }) => numTokens))).toBeLessThanOrEqual(10);
    expect(await show("guide/pump.md")).toEqual(document);
    expect((await cut(document, { chunker: "semantic", maxTokens: 64, overlapTokens: 0 })).error.message).toContain(
      "needs an embedder",
    );
    expect((await cut(document, { chunker: "magic", maxTokens: 64, overlapTokens: 0 })).error).toMatchObject({
      field: "chunker",
      message: expect.stringContaining("recursive"),
    });
    expect((await cut(document, { maxTokens: 64, overlapTokens: 64 })).error.message).toContain("below maxTokens");
  });

  it("ends a cut that nobody waits for", async () => {
    await writeFile(join(folder, "long.md"), "A word and another one. ".repeat(100_000));
    const { show, studio } = await open({ maxTokens: 4096, overlapTokens: 0 });
    const { path, hash } = await show("long.md");
    const abort = new AbortController();
    const cut = studio.documents.cut({ path, hash, maxTokens: 64, overlapTokens: 0 }, abort.signal);
    abort.abort();
    await expect(cut).rejects.toThrow("nobody waits");
    const small = { path, hash, maxTokens: 8, overlapTokens: 0 };
    await expect(studio.documents.cut(small, new AbortController().signal)).rejects.toMatchObject({
      status: 400,
      field: "maxTokens",
    });
  });

  it("says when a file has changed since it was indexed, or since it was opened", async () => {
    const { show, cut, app } = await open();
    const before = await show("guide/pump.md");
    await writeFile(join(folder, "guide", "pump.md"), "# Pump\n\nIt is gone.\n");
    const now = await show("guide/pump.md");
    expect(now.hasChanged).toBe(true);
    expect(textsOf(now, now)).toEqual(["# Pump\n\nIt is gone."]);
    const late = await cut(before, { maxTokens: 64, overlapTokens: 0 });
    expect(late.error.message).toContain("has changed since it was opened");
    await rm(join(folder, "guide", "pump.md"));
    expect((await app.request("/api/document?path=guide%2Fpump.md")).status).toBe(404);
  });

  it.each(["../secret.txt", "/etc/hostname", "guide/../../secret.txt", "picture.png", "link.md", "guide", "__proto__"])(
    "has no document but the indexed ones: %s",
    async (path) => {
      await symlink(join(root, "secret.txt"), join(folder, "link.md"));
      const { app, post } = await open();
      const shown = await app.request(`/api/document?${new URLSearchParams({ path })}`);
      expect(shown.status).toBe(404);
      expect(await shown.text()).not.toContain("not indexed");
      const cut = await post("/api/document/cut", { path, hash: "", maxTokens: 64, overlapTokens: 0 });
      expect(cut.status).toBe(404);
    },
  );

  it("makes the index anew, says so to every page, and forgets nothing of the settings that stay", async () => {
    const { studio, post, show } = await open({ chunker: "fixed" });
    const before = studio.live.current.index!;
    const cutting = { maxTokens: 16, overlapTokens: 0, code: false };
    expect((await post("/api/index", cutting)).status).toBe(202);
    expect(studio.live.current.work).toMatchObject([{ label: "Cutting and indexing again", share: 0 }]);
    expect((await post("/api/index", cutting)).status).toBe(409);
    expect((await post("/api/job", { action: "start" })).status).toBe(409);
    await expect.poll(() => studio.live.current.indexing, { timeout: 20_000 }).toEqual({ status: "done" });
    const { index, work } = studio.live.current;
    expect(work).toEqual([]);
    expect(index).toMatchObject({ embedder: "none", numDocuments: 3 });
    expect(index!.cutting).toEqual(cutting);
    expect(index!.numChunks).toBeGreaterThan(before.numChunks);
    expect((await show("guide/pump.md")).chunks.length).toBeGreaterThan(30);
    expect(studio.live.current.index!.skipped.map(({ path }) => path).sort()).toEqual(["picture.png", "pump.py"]);
  });

  it("says why the index could not be made", async () => {
    const { studio, post } = await open();
    await rm(folder, { recursive: true });
    await post("/api/index", { maxTokens: 16, overlapTokens: 0, code: false });
    await expect.poll(() => studio.live.current.indexing?.status, { timeout: 20_000 }).toBe("failed");
    expect(studio.live.current.indexing!.error).toContain("check the path");
    expect(studio.live.current.work).toEqual([]);
  });
});
