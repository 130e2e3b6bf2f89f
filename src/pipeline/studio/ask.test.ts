/** @file Questions over HTTP: quotes with their places, reasons, and the lack of an answer. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStudioApp } from "../../server/studio/app.js";
import type { AskResponse, ErrorResponse } from "../../server/studio/wire/index.js";
import { KnowledgeBase } from "../knowledge-base/knowledge-base.js";
import { openStudio, type Studio } from "./studio.js";

const pump = "# Pump\n\nThe pump starts at 40 degrees. It stops after nine minutes.\n";
const valve = "# Valve\n\n阀门在压力高于6巴时打开。The valve opens above 6 bar.\n";

let root: string;
let studio: Studio;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-ask-"));
  const [folder, workspace] = [join(root, "docs"), join(root, "workspace")];
  await mkdir(join(folder, "guide"), { recursive: true });
  await writeFile(join(folder, "pump.md"), pump);
  await writeFile(join(folder, "guide", "valve.md"), valve);
  await using knowledge = await KnowledgeBase.open(folder, { workspace });
  await knowledge.sync();
  studio = await openStudio({ folder, workspace });
});
afterAll(async () => {
  await studio?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

const ask = (body: object) =>
  createStudioApp(studio, { assets: new Map() }).request("/api/ask", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const answerTo = async (question: string) => (await (await ask({ question })).json()) as AskResponse;

describe("a question", () => {
  it("is answered with the documents' words, their places and the question's words in them", async () => {
    const { statements, numChunks } = await answerTo(" When does the valve open? ");
    const [quote] = statements[0]!.quotes;
    expect(quote).toMatchObject({ path: "guide/valve.md", headingPath: ["Valve"] });
    expect(valve.slice(quote!.start, quote!.end)).toBe(quote!.text);
    expect(quote!.text).toContain("The valve opens above 6 bar.");
    expect(quote!.matches.map(({ start, end }) => quote!.text.slice(start, end))).toEqual(["valve", "opens"]);
    expect(numChunks).toBe(2);
  });

  it("is answered in Chinese", async () => {
    const [quote] = (await answerTo("压力多高时阀门打开?")).statements[0]!.quotes;
    expect(quote).toMatchObject({ path: "guide/valve.md", text: "阀门在压力高于6巴时打开。" });
    expect(quote!.matches.map(({ start, end }) => quote!.text.slice(start, end))).toEqual(["阀门", "压力", "打开"]);
  });

  it("says why each passage stands where it does, and which was quoted", async () => {
    const { passages } = await answerTo("When does the pump stop?");
    expect(passages.map(({ fused }) => fused.rank)).toEqual([1, 2]);
    expect(passages[0]).toMatchObject({ path: "pump.md", isQuoted: true, words: { rank: 1 }, meaning: { rank: 1 } });
    expect(passages[0]!.words!.score).toBeGreaterThan(0);
    // found by meaning alone: it shares no word with the question
    expect(passages[1]).toMatchObject({ path: "guide/valve.md", isQuoted: false, meaning: { rank: 2 }, matches: [] });
    expect(passages[1]).not.toHaveProperty("words");
  });

  it("has no answer where the documents have none, and still shows what came nearest", async () => {
    const { statements, passages } = await answerTo("Who painted the ceiling of the chapel?");
    expect(statements).toEqual([]);
    expect(passages.length).toBeGreaterThan(0);
  });

  it.each<[string, object]>([
    ["of nothing", { question: "  " }],
    ["too long", { question: "x".repeat(2001) }],
    ["absent", {}],
  ])("is refused: %s", async (_kind, body) => {
    const response = await ask(body);
    const { error } = (await response.json()) as ErrorResponse;
    expect([response.status, error.field]).toEqual([400, "question"]);
  });

  it("gets no quote of a document that has changed since", async () => {
    await writeFile(join(root, "docs", "pump.md"), pump.replace("nine", "ten"));
    const response = await ask({ question: "After how many minutes does the pump stop?" });
    const { error } = (await response.json()) as ErrorResponse;
    expect(response.status).toBe(409);
    expect(error.message).toContain("index it again");
    await writeFile(join(root, "docs", "pump.md"), pump);
  });
});
