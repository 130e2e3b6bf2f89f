/** @file What is on disk of a run: what the page knows of it after the server was started anew. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../../../base/errors.js";
import { ifThere } from "../../../checkpoint/byte-file.js";
import type { RunPlan, RunPoint, RunSamples, RunSummary } from "../../../server/studio/wire/index.js";
import { chosenTuningSchema, tuningResultSchema } from "../../tune.js";
import type { TuneReport } from "../../tuning/index.js";
import { tunePlanSchema } from "../../tuning/tune-plan.js";
import type { TuningPlan } from "../../tuning-plan.js";
import type { Workspace } from "../../workspace.js";

/** Kept in a run's folder by whoever started it from a page. */
const recordSchema = z.object({
  kind: z.enum(["main", "tune"]),
  name: z.string(),
  method: z.string(),
  base: z.string(),
  startedAt: z.number(),
  /** Of a tuning run, without `out`, to go on with. */
  config: z.record(z.string(), z.json()).optional(),
  memoryBytes: z.number().optional(),
  /** Why it failed last. */
  error: z.string().optional(),
});

export type RunRecord = z.infer<typeof recordSchema>;

const RECORD = "studio.json";

export const writeRecord = ({ error, ...record }: RunRecord, runs: Workspace, id: string): Promise<void> =>
  runs.write({ ...record, ...(error !== undefined && { error }) }, id, RECORD);

/** Undefined for a run that no Studio has started or seen. */
export const readRecord = (runs: Workspace, id: string): Promise<RunRecord | undefined> =>
  runs.read(recordSchema, id, RECORD);

export const samplesFile = (folder: string): string => join(folder, "samples.jsonl");

/** A run's folder as it is read. */
export interface StoredRun {
  readonly record: RunRecord;
  readonly plan: RunPlan | undefined;
  /** Whether its model is there. */
  readonly isDone: boolean;
}

/** @throws CheckpointError for files that are damaged; undefined for a folder that holds no run. */
export async function readStored(runs: Workspace, id: string): Promise<StoredRun | undefined> {
  const record = await readRecord(runs, id);
  const plan = await readPlan(runs, id);
  if (!record && !plan) return undefined;
  const result = record?.kind === "tune" ? "report.json" : "tuning.json";
  const isDone = (await runs.readText(id, result)) !== undefined;
  return { record: record ?? (await unrecorded(runs, id, plan!)), plan, isDone };
}

/** A run of the main job that no Studio has seen. */
async function unrecorded(runs: Workspace, id: string, plan: RunPlan): Promise<RunRecord> {
  const { mtimeMs } = await stat(runs.path(id, "plan.json"));
  const method = plan.numTrainable < plan.numParameters ? "lora" : "full";
  return { kind: "main", name: "Main job", method, base: "not recorded", startedAt: mtimeMs };
}

const planSchema = z.union([chosenTuningSchema, tunePlanSchema]);

async function readPlan(runs: Workspace, id: string): Promise<RunPlan | undefined> {
  const stored = await runs.read(planSchema, id, "plan.json");
  return stored && runPlanOf("plan" in stored ? stored.plan : stored);
}

/** @param plan of the main job, or of a tuning run, which may divide its rows into micro-batches. */
export function runPlanOf(plan: TuningPlan & { readonly accumulate?: number }): RunPlan {
  const { accumulate = 1 } = plan;
  const { numParameters, numTrainable, steps, time, shape, learningRate, msPerStep, predictedSeconds, memory } = plan;
  return {
    numParameters,
    numTrainable,
    steps,
    time,
    rowsPerStep: shape.batchSize * accumulate,
    learningRate,
    secondsPerStep: msPerStep / 1000,
    predictedSeconds,
    memory,
  };
}

/** Lines of `metrics.jsonl` that are points; those of versions before speed and memory were kept lack these. */
const metricSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("step"),
    step: z.number(),
    loss: z.number(),
    learningRate: z.number(),
    tokens: z.number(),
    ms: z.number().optional(),
    rssBytes: z.number().optional(),
  }),
  z.object({ type: z.literal("evaluation"), step: z.number(), loss: z.number() }),
]);

/** Points of steps from `from` on. The last line of a process that was killed may be torn. */
export async function readPoints(folder: string, from = 0): Promise<RunPoint[]> {
  return (await readLines(join(folder, "metrics.jsonl"))).flatMap((line): RunPoint[] => {
    const { success, data } = metricSchema.safeParse(line);
    if (!success || data.step < from) return [];
    const { step, loss } = data;
    if (data.type === "evaluation") return [{ step, heldOutLoss: loss }];
    const { learningRate, tokens, ms, rssBytes } = data;
    const speed = ms !== undefined && ms > 0 && { seconds: ms / 1000, tokensPerSecond: (1000 * tokens) / ms };
    return [{ step, loss, learningRate, ...speed, ...(rssBytes !== undefined && { memoryBytes: rssBytes }) }];
  });
}

const samplesSchema = z.object({
  step: z.number(),
  samples: z.array(z.object({ prompt: z.string(), text: z.string(), expected: z.string() })),
});

/** Latest first. */
export async function readSamples(folder: string): Promise<RunSamples[]> {
  const lines = await readLines(samplesFile(folder));
  return lines.flatMap((line) => samplesSchema.safeParse(line).data ?? []).reverse();
}

async function readLines(path: string): Promise<unknown[]> {
  const text = (await ifThere(readFile(path, "utf8"), path)) ?? "";
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
}

/** What a main job's tuning came to. */
export const readResult = (runs: Workspace, id: string) => runs.read(tuningResultSchema, id, "tuning.json");

/** What a tuning run came to: a file of our own, or none. */
export async function readTuneReport(runs: Workspace, id: string): Promise<TuneReport | undefined> {
  const text = await runs.readText(id, "report.json");
  return text === undefined ? undefined : (JSON.parse(text) as TuneReport);
}

/** As it stood when its process ended. */
export async function summaryOf(runs: Workspace, id: string): Promise<RunSummary | undefined> {
  try {
    const stored = await readStored(runs, id);
    if (!stored) return undefined;
    const { record, plan, isDone } = stored;
    const { kind, name, method, base, startedAt, error } = record;
    const status = isDone ? "done" : error === undefined ? "stopped" : "failed";
    const summary: RunSummary = {
      ...{ id, kind, name, status, method, base, startedAt, revision: 0 },
      ...(plan && planned(plan)),
      ...(error !== undefined && { error }),
    };
    return (await readPoints(runs.path(id))).reduce(withPoint, summary);
  } catch (thrown) {
    const error = `its folder cannot be read (${messageOf(thrown)}); remove it, or look at ${runs.path(id)}`;
    const facts = { kind: "tune", name: id, method: "unknown", base: "unknown", startedAt: 0, revision: 0 } as const;
    return { id, ...facts, status: "failed", error };
  }
}

/** What a summary says once there is a plan. */
export const planned = ({ steps, memory, secondsPerStep }: RunPlan) => ({
  progress: { step: 0, steps },
  predictedBytes: memory.total,
  plannedSecondsPerStep: secondsPerStep,
});

/** A summary after one more point of the run's curves. */
export function withPoint(summary: RunSummary, point: RunPoint): RunSummary {
  const { step, loss, heldOutLoss, tokensPerSecond, seconds, memoryBytes } = point;
  const { progress = { step: 0, steps: 0 }, best, peakBytes = 0, secondsPerStep: mean = seconds ?? 0 } = summary;
  const isBest = heldOutLoss !== undefined && step > 0 && (best === undefined || heldOutLoss < best.loss);
  return {
    ...summary,
    progress: {
      ...progress,
      step: Math.max(progress.step, step),
      ...(loss !== undefined && { loss }),
      ...(heldOutLoss !== undefined && { heldOutLoss }),
      ...(tokensPerSecond !== undefined && { tokensPerSecond }),
    },
    ...(heldOutLoss !== undefined && step === 0 && { lossBefore: heldOutLoss }),
    ...(isBest && { best: { step, loss: heldOutLoss } }),
    ...(seconds !== undefined && { secondsPerStep: mean + (seconds - mean) / Math.max(1, step) }),
    ...(memoryBytes !== undefined && { peakBytes: Math.max(peakBytes, memoryBytes) }),
  };
}
