import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Workspace } from "../../workspace.js";
import { readPoints, summaryOf } from "./run-record.js";

let root: string;
let runs: Workspace;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-record-"));
  runs = new Workspace(root);
  await runs.prepare("one");
  await runs.prepare("broken");
  await runs.prepare("other");
  const record = { kind: "tune", name: "One", method: "lora", base: "a model", startedAt: 7 };
  await runs.write(record, "one", "studio.json");
  await runs.writeText("{", "broken", "studio.json");
  const lines = [
    { type: "evaluation", step: 0, loss: 5 },
    { type: "step", step: 1, loss: 4, learningRate: 0.1, tokens: 50, ms: 100, rssBytes: 900 },
    // of a version that kept neither speed nor memory
    { type: "step", step: 2, loss: 3, learningRate: 0.1, tokens: 50 },
    { type: "scores", step: 2, scores: {} },
    { type: "evaluation", step: 2, loss: 3.5 },
    { type: "step", step: 3, loss: 2, learningRate: 0.1, tokens: 50, ms: 200, rssBytes: 800 },
    { type: "evaluation", step: 3, loss: 3.75 },
  ];
  const text = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"type": "step", "st`;
  await writeFile(runs.path("one", "metrics.jsonl"), text);
});
afterAll(() => rm(root, { recursive: true }));

it("metrics become points, from a step on, without the line that a kill has torn", async () => {
  expect(await readPoints(runs.path("one"))).toEqual([
    { step: 0, heldOutLoss: 5 },
    { step: 1, loss: 4, learningRate: 0.1, seconds: 0.1, tokensPerSecond: 500, memoryBytes: 900 },
    { step: 2, loss: 3, learningRate: 0.1 },
    { step: 2, heldOutLoss: 3.5 },
    { step: 3, loss: 2, learningRate: 0.1, seconds: 0.2, tokensPerSecond: 250, memoryBytes: 800 },
    { step: 3, heldOutLoss: 3.75 },
  ]);
  expect((await readPoints(runs.path("one"), 3)).map(({ step }) => step)).toEqual([3, 3]);
  expect(await readPoints(runs.path("other"))).toEqual([]);
});

it("a run stands as its process left it; one that cannot be read says so, and what is no run is none", async () => {
  expect(await summaryOf(runs, "one")).toMatchObject({
    ...{ id: "one", kind: "tune", name: "One", status: "stopped", method: "lora", base: "a model", startedAt: 7 },
    lossBefore: 5,
    best: { step: 2, loss: 3.5 },
    peakBytes: 900,
    progress: { step: 3, loss: 2, heldOutLoss: 3.75 },
  });
  await runs.write({}, "one", "report.json");
  expect((await summaryOf(runs, "one"))!.status).toBe("done");
  expect(await summaryOf(runs, "broken")).toMatchObject({ status: "failed", error: expect.stringContaining("broken") });
  expect(await summaryOf(runs, "other")).toBeUndefined();
});
