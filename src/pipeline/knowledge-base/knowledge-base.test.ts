import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../../base/errors.js";
import type { ReadingModel } from "../../long/index.js";
import { KnowledgeBase, type KnowledgeBaseOptions } from "./knowledge-base.js";

let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-knowledge-"));
  folder = join(root, "docs");
  await mkdir(join(folder, "guide"), { recursive: true });
  await writeFile(join(folder, "pump.md"), "# Pump\n\nThe pump starts at 40 degrees. It stops after nine minutes.\n");
  await writeFile(join(folder, "guide", "valve.md"), "# Valve\n\nThe valve opens when the pressure is above 6 bar.\n");
});
afterEach(() => rm(root, { recursive: true }));

/** A model that a function writes for, to whatever length. */
const modelOf = (write: (prompt: string) => string): ReadingModel => ({
  id: "scripted",
  contextLength: 1000,
  counter: { count: (_, start = 0, end = _.length) => Math.ceil((end - start) / 4) },
  countPrompt: (prompt) => Math.ceil(prompt.length / 4),
  generate: async (prompt) => write(prompt),
});

const open = (options: KnowledgeBaseOptions = {}): Promise<KnowledgeBase> =>
  KnowledgeBase.open(folder, {
    workspace: join(root, "workspace"),
    ...options,
    settings: { embedder: "none", ...options.settings },
  });

describe("a folder as a knowledge base", () => {
  it("answers with the words of a document and their place", async () => {
    await using knowledge = await open();
    expect(await knowledge.sync()).toMatchObject({ added: 2, changed: 0, unchanged: 0, chunks: 2, numChunks: 2 });
    const { answer, retrieved } = await knowledge.ask("At what pressure does the valve open?");
    const [quote] = answer.statements[0]!.quotes;
    expect(quote).toMatchObject({
      path: "guide/valve.md",
      text: "The valve opens when the pressure is above 6 bar.",
      headingPath: ["Valve"],
    });
    expect((await knowledge.text("guide/valve.md"))!.slice(quote!.start, quote!.end)).toBe(quote!.text);
    expect(retrieved.passages[0]!.trace.found).toMatchObject([{ by: "text", rank: 1 }]);
    expect((await knowledge.ask("Who painted the ceiling?")).answer.statements).toEqual([]);
  });

  it("follows what changes, with work for that alone, and says what it leaves out", async () => {
    await using knowledge = await open();
    await knowledge.sync();
    const cut: string[] = [];
    await writeFile(join(folder, "pump.md"), "# Pump\n\nThe pump starts at 55 degrees.\n");
    await rename(join(folder, "guide", "valve.md"), join(folder, "guide", "tap.md"));
    await writeFile(join(folder, "picture.bin"), new Uint8Array([0, 1, 2]));
    const report = await knowledge.sync({ onDocument: (path) => cut.push(path) });
    expect(report).toMatchObject({ added: 1, changed: 1, removed: 1, unchanged: 0 });
    expect(report.skipped.map(({ path }) => path)).toEqual(["picture.bin"]);
    expect(cut.sort()).toEqual(["guide/tap.md", "pump.md"]);
    const { answer } = await knowledge.ask("At how many degrees does the pump start?");
    expect(answer.statements[0]!.text).toBe("The pump starts at 55 degrees.");
    expect(await knowledge.sync({ onDocument: (path) => cut.push(path) })).toMatchObject({ unchanged: 2, chunks: 0 });
    expect(cut).toHaveLength(2);
  });

  it("never quotes a document that has changed since it was indexed", async () => {
    await using knowledge = await open();
    await knowledge.sync();
    await writeFile(join(folder, "pump.md"), "# Pump\n\nThe pump starts at 90 degrees. It stops after nine minutes.\n");
    await expect(knowledge.ask("At how many degrees does the pump start?")).rejects.toThrow(DataError);
    await rm(join(folder, "pump.md"));
    await expect(knowledge.ask("At how many degrees does the pump start?")).rejects.toThrow("index it again");
  });

  it("keeps to the settings of its index, and cuts again when they are given anew", async () => {
    {
      await using knowledge = await open({ settings: { maxTokens: 8, overlapTokens: 0 } });
      expect((await knowledge.sync()).numChunks).toBeGreaterThan(3);
    }
    {
      await using knowledge = await open();
      expect(knowledge.settings).toMatchObject({ maxTokens: 8, overlapTokens: 0, embedder: "none" });
      expect(await knowledge.sync()).toMatchObject({ unchanged: 2, chunks: 0 });
    }
    await using knowledge = await open({ settings: { maxTokens: 64 } });
    expect(await knowledge.sync()).toMatchObject({ changed: 2, numChunks: 2 });
    await expect(open({ settings: { maxTokens: -1 } })).rejects.toThrow(ConfigError);
  });

  it("lets a model write, and shows what of it the passages say", async () => {
    await using knowledge = await open();
    await knowledge.sync();
    const { answer } = await knowledge.ask("When does the pump start?", {
      model: modelOf((prompt) => {
        const number = /\[(\d+)\] pump\.md/.exec(prompt)![1];
        return `It starts at 40 degrees [${number}: "starts at 40 degrees"]. It is blue [${number}: "blue pump"].`;
      }),
    });
    expect(answer.statements.map(({ quotes }) => quotes.map(({ text }) => text))).toEqual([
      ["starts at 40 degrees"],
      [],
    ]);
  });

  it("knows what is asked for most, and reads that first where the index is made anew", async () => {
    {
      await using knowledge = await open();
      await knowledge.sync();
      expect(await knowledge.hottest(5)).toEqual([]);
      for (let i = 0; i < 3; i++) await knowledge.ask("At what pressure does the valve open?", { passages: 1 });
      await knowledge.retrieve("When does the pump stop?", { limit: 1 });
    }
    await writeFile(join(folder, "a.md"), "# First of all names\n\nNobody asks for it.\n");
    {
      await using knowledge = await open({ rebuild: true });
      const cut: string[] = [];
      expect(await knowledge.sync({ onDocument: (path) => cut.push(path) })).toMatchObject({ added: 3, changed: 0 });
      expect(cut).toEqual(["guide/valve.md", "pump.md", "a.md"]);
      const hot = await knowledge.hottest(1);
      expect(hot).toMatchObject([{ count: 3, chunk: { path: "guide/valve.md", headingPath: ["Valve"] } }]);
      // what is gone is not named
      await rm(join(folder, "guide", "valve.md"));
      await knowledge.sync();
      expect((await knowledge.hottest(5)).map(({ chunk, count }) => [chunk.path, count])).toEqual([["pump.md", 1]]);
    }
    await rm(join(folder, "pump.md"));
    await using again = await open({ rebuild: true });
    expect(await again.sync()).toMatchObject({ added: 1, skipped: [] });
  });

  it("is a single document too", async () => {
    await using knowledge = await KnowledgeBase.open(join(folder, "pump.md"), {
      workspace: join(root, "one"),
      settings: { embedder: "none" },
    });
    await knowledge.sync();
    const { answer } = await knowledge.ask("After how many minutes does the pump stop?");
    expect(answer.statements[0]!.quotes[0]).toMatchObject({
      path: "pump.md",
      text: "The pump starts at 40 degrees. It stops after nine minutes.",
    });
  });

  it("indexes what changes while it watches", async () => {
    await using knowledge = await open();
    const stop = new AbortController();
    const reports = [];
    for await (const report of knowledge.watch(stop.signal)) {
      reports.push(report);
      if (reports.length === 1) await writeFile(join(folder, "hose.md"), "# Hose\n\nThe hose is 12 m long.\n");
      else stop.abort();
    }
    expect(reports).toMatchObject([{ added: 2 }, { added: 1, unchanged: 2 }]);
  });
});
