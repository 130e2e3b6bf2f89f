/** @file Tuning runs behind the Studio, in processes of their own: refused, paused, gone on with by the next server, exported. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lockRun } from "../../../src/pipeline/run-lock.js";
import { openStudio, type Studio } from "../../../src/pipeline/studio/studio.js";
import { createStudioApp } from "../../../src/server/studio/app.js";
import type { RunDetail, RunPoints, RunSummary } from "../../../src/server/studio/wire/index.js";
import { colourRows, writeColourModel } from "../../support/colour-model.js";

let root: string;
let studio: Studio;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-runs-"));
  await writeColourModel(join(root, "base"));
  await writeFile(join(root, "rows.jsonl"), colourRows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await writeFile(
    join(root, "wrong.jsonl"),
    '{"instruction": "Paint it.", "output": "It is red."}\n{"instruction": 3}\n',
  );
  await reopen();
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

/** As the next process finds it. */
async function reopen(): Promise<void> {
  await studio?.[Symbol.asyncDispose]();
  studio = await openStudio({ folder: root, workspace: join(root, "workspace"), base: join(root, "base") });
}

const ask = (path: string, init?: RequestInit): Promise<Response> =>
  Promise.resolve(createStudioApp(studio, { assets: new Map() }).request(`http://localhost${path}`, init));
const get = async <T>(path: string): Promise<T> => (await ask(path)).json() as Promise<T>;
const post = (path: string, body: object): Promise<Response> =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

const request = (changes: object = {}) => ({
  name: "Colours",
  base: join(root, "base"),
  data: join(root, "rows.jsonl"),
  method: "lora",
  learningRate: 0.02,
  batchSize: 2,
  ...changes,
});

const summary = (id: string): RunSummary => studio.live.current.runs.find((run) => run.id === id)!;

async function until(id: string, holds: (run: RunSummary) => boolean): Promise<void> {
  for await (const _ of studio.live.events(AbortSignal.timeout(20_000))) if (holds(summary(id))) return;
  throw new Error(`waited for too long: ${JSON.stringify(summary(id))}`);
}

describe("tuning runs of the page", () => {
  it("refuse what is wrong at its field, and leave nothing", async () => {
    const refusals = [
      [{ base: join(root, "nowhere") }, "base", "there is nothing at"],
      [{ data: join(root, "wrong.jsonl") }, "data", "wrong.jsonl:2"],
      [{ memoryBytes: 2 ** 20 }, "memoryBytes", "What would fit"],
      [{ length: 4 }, "length", ""],
    ] as const;
    for (const [changes, field, message] of refusals) {
      const response = await post("/api/runs", request(changes));
      expect(response.status).toBe(400);
      const { error } = (await response.json()) as { error: { message: string; field: string } };
      expect(error.field).toBe(field);
      expect(error.message).toContain(message);
    }
    expect(studio.live.current).toMatchObject({ runs: [], work: [] });
  });

  it("are paused, gone on with by the next process, and ended for good with the best they had", async () => {
    const { id } = (await (await post("/api/runs", request({ steps: 5000 }))).json()) as RunSummary;
    await until(id, ({ progress }) => (progress?.step ?? 0) >= 5);
    expect(studio.live.current.work).toMatchObject([{ id: `run:${id}`, label: "Tuning Colours" }]);
    expect((await post(`/api/runs/${id}`, { action: "remove" })).status).toBe(409);
    await post(`/api/runs/${id}`, { action: "pause" });
    await until(id, ({ status }) => status === "stopped");
    const { step } = summary(id).progress!;
    await reopen();
    expect(summary(id)).toMatchObject({
      name: "Colours",
      status: "stopped",
      base: "base",
      progress: { step, steps: 5000 },
    });
    {
      // as another server would hold it
      using _lock = await lockRun(join(root, "workspace", "runs", id));
      expect((await post(`/api/runs/${id}`, { action: "resume" })).status).toBe(409);
    }
    await post(`/api/runs/${id}`, { action: "resume" });
    await until(id, ({ progress }) => progress!.step >= step + 5);
    await post(`/api/runs/${id}`, { action: "stop" });
    await until(id, ({ status }) => status === "done");
    const { points } = await get<RunPoints>(`/api/runs/${id}/points`);
    const steps = points.filter(({ loss }) => loss !== undefined);
    expect(steps.map((point) => point.step)).toEqual(steps.map((_, i) => i + 1));
    expect(steps.every(({ tokensPerSecond, memoryBytes }) => tokensPerSecond! > 0 && memoryBytes! > 2 ** 20)).toBe(
      true,
    );
    expect((await get<RunPoints>(`/api/runs/${id}/points?from=${steps.length}`)).points[0]!.step).toBe(steps.length);
    const detail = await get<RunDetail>(`/api/runs/${id}`);
    expect(detail.report).toMatchObject({ reason: "ended", steps: steps.length });
    expect(detail.samples.at(-1)!.samples[0]!.prompt).toContain("Paint the");
  });

  it("hand out their files, and their model in other formats", async () => {
    const { id } = (await (await post("/api/runs", request({ name: "Short", steps: 4 }))).json()) as RunSummary;
    await until(id, ({ status }) => status === "done");
    expect((await post(`/api/runs/${id}/exports`, { format: "gguf", dtype: "Q9" })).status).toBe(400);
    expect((await post(`/api/runs/${id}/exports`, { format: "gguf" })).status).toBe(200);
    expect((await post(`/api/runs/${id}/exports`, { format: "onnx" })).status).toBe(200);
    const { files } = await get<RunDetail>(`/api/runs/${id}`);
    const paths = files.map(({ path }) => path);
    for (const path of [
      "adapter/adapter_model.safetensors",
      "model/model.safetensors",
      "exports/gguf-F16/model.gguf",
    ]) {
      expect(paths).toContain(path);
      const response = await ask(`/api/runs/${id}/files/${path}`);
      expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="short-/);
      const bytes = new Uint8Array(await response.arrayBuffer());
      expect(Buffer.from(bytes).equals(await readFile(join(root, "workspace", "runs", id, path)))).toBe(true);
    }
    expect(paths).toContain("exports/onnx-float32/model.onnx");
    for (const path of ["studio.json", "../../report.json", "%2e%2e/%2e%2e/tokenizer.json", "model/../studio.json"]) {
      expect((await ask(`/api/runs/${id}/files/${path}`)).status).toBe(404);
    }
    expect(studio.live.current.writers).toContainEqual({ id, label: "Short", kind: "tuned" });
    await post(`/api/runs/${id}`, { action: "remove" });
    expect(studio.writers.sources.map((source) => source.id)).not.toContain(id);
    expect(summary(id)).toBeUndefined();
    expect((await ask(`/api/runs/${id}`)).status).toBe(404);
  });

  it("take files of examples, of text and of a bounded size", async () => {
    const upload = (name: string, body: Uint8Array<ArrayBuffer>, headers = {}) =>
      ask(`/api/uploads?name=${encodeURIComponent(name)}`, { method: "POST", body, headers });
    const rows = new Uint8Array(await readFile(join(root, "rows.jsonl")));
    const kept = (await (await upload("../../my rows.jsonl", rows)).json()) as { path: string; bytes: number };
    expect(kept.path.startsWith(join(root, "workspace", "uploads"))).toBe(true);
    expect(new Uint8Array(await readFile(kept.path))).toEqual(rows);
    expect((await upload("rows.exe", rows)).status).toBe(415);
    expect((await upload("rows.jsonl", new Uint8Array([0xff, 0xfe, 0]))).status).toBe(415);
    expect((await upload("rows.jsonl", rows, { "content-length": `${2 ** 30}` })).status).toBe(413);
  });
});
