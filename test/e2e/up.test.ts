/** @file The main job on a folder: index, train, ask, and do again only what changed. */

import { cp, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadModel, runUp, type UpEvent } from "../../src/index.js";
import { pdfFile } from "../support/pdf.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-up-"));
  await cp(fileURLToPath(new URL("../../docs/adding", import.meta.url)), join(root, "docs"), { recursive: true });
  await writeFile(join(root, "docs", "picture.md"), new Uint8Array([137, 80, 78, 71, 0, 1, 2]));
  const lines = ["The first page speaks of clay.", "The second page names the quagga."];
  await writeFile(
    join(root, "docs", "animals.pdf"),
    pdfFile(lines.map((text) => ({ texts: [{ x: 72, y: 700, text }] }))),
  );
});
afterAll(() => rm(root, { recursive: true }));

const workspace = (): string => join(root, "workspace");

async function run() {
  const events: UpEvent[] = [];
  const options = { folder: join(root, "docs"), workspace: workspace(), seconds: 3 };
  return { events, result: await runUp(options, (event) => events.push(event)) };
}

it("stops while it indexes, once it is told to", async () => {
  const stop = new AbortController();
  const options = { folder: join(root, "docs"), workspace: workspace(), signal: stop.signal };
  const types: string[] = [];
  const stopped = runUp(options, ({ type }) => {
    types.push(type);
    stop.abort();
  });
  await expect(stopped).rejects.toThrow("stopped; what is done is kept");
  expect(types).toEqual(["document"]);
});

it("goes on to an index and a model that knows the text", async () => {
  const { events, result } = await run();
  const types = [...new Set(events.map(({ type }) => type))];
  expect(types).toEqual(["document", "index", "plan", "train", "report"]);
  const { plan, tuning, index, served } = result.report;
  expect(plan.skipped.map(({ path }) => path)).toEqual(["picture.md"]);
  expect(index.added).toBe(plan.documents);
  expect(tuning.perplexityAfter).toBeLessThan(tuning.perplexityBefore / 2);
  expect(tuning.perplexityServed).toBeLessThan(tuning.perplexityAfter * 1.05);
  expect((await loadModel(served.modelFolder)).parameters.size).toBeGreaterThan(0);

  const { answer, retrieved } = await result.knowledge.ask("Which suite proves a store after kill -9?");
  expect(retrieved.passages[0]?.chunk.path).toBe("store.md");
  const { text } = result.corpus.documents.find(({ path }) => path === "store.md")!;
  const quotes = answer.statements.flatMap((statement) => statement.quotes).filter(({ path }) => path === "store.md");
  expect(quotes.length).toBeGreaterThan(0);
  for (const quote of quotes) expect(text.slice(quote.start, quote.end)).toBe(quote.text);
  await result.close();
});

it("does again only what changed", async () => {
  const same = await run();
  expect(same.result.report.index).toMatchObject({ added: 0, changed: 0, removed: 0 });
  expect(same.result.report.tuning.isCached).toBe(true);
  expect(same.events.some(({ type }) => type === "train")).toBe(false);
  await same.result.close();

  await writeFile(join(root, "docs", "op.md"), "# Adding an op\n\nA zyzzyva is one file and one registry line.\n");
  await rm(join(root, "docs", "chunker.md"));
  const { result } = await run();
  const { index, tuning } = result.report;
  expect(index).toMatchObject({ added: 0, changed: 1, removed: 1 });
  expect(tuning.isCached).toBe(false);
  const { knowledge } = result;
  const search = async (question: string) => (await knowledge.retrieve(question, { by: "text" })).passages;
  expect((await search("zyzzyva")).map(({ chunk }) => chunk.path)).toEqual(["op.md"]);
  const [hit] = await search("quagga");
  expect(hit!.chunk).toMatchObject({ path: "animals.pdf", page: 1 });
  expect(await knowledge.text("animals.pdf")).toContain(hit!.chunk.text);
  await result.close();
});

it("makes an index of another version again", async () => {
  const file = await open(join(workspace(), "knowledge", "index.sqlite"), "r+");
  // SQLite's user_version, four bytes at 60, https://sqlite.org/fileformat.html
  await file.write(new Uint8Array([0, 0, 0, 1]), 0, 4, 60);
  await file.close();
  const { result } = await run();
  expect(result.report.index).toMatchObject({ added: result.report.plan.documents, unchanged: 0 });
  await result.close();
});
