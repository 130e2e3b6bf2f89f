/** @file What `tessera up` prints: the plan before, the report after. */

import type { UpPlan, UpReport } from "../pipeline/up.js";
import type { MemoryEstimate } from "../plan/index.js";
import { bytes, integer, parameters, plural, rows, seconds } from "./format.js";

/** Skipped files by reason, with the first names of each. */
function skippedText(plan: UpPlan): string {
  if (plan.skipped.length === 0) return "none";
  const byReason = new Map<string, string[]>();
  for (const { reason, path } of plan.skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), path]);
  return [...byReason]
    .map(
      ([reason, paths]) =>
        `${paths.length} ${reason} (${paths.slice(0, 3).join(", ")}${paths.length > 3 ? ", …" : ""})`,
    )
    .join("; ");
}

function memoryText(memory: MemoryEstimate): string {
  const { total, ...parts } = memory;
  const named = Object.entries(parts).map(([name, size]) => `${name} ${bytes(size)}`);
  return `${bytes(total)} (${named.join(", ")})`;
}

export function planText(plan: UpPlan): string {
  const { tuning } = plan;
  const share =
    tuning.numTrainable === tuning.numParameters ? "all trained" : `${parameters(tuning.numTrainable)} trained`;
  const { batchSize, save } = tuning.shape;
  return rows([
    ["documents", integer(plan.documents)],
    ["skipped", skippedText(plan)],
    ["chunks", integer(plan.chunks)],
    ["tokens", `${integer(plan.trainTokens)} to train on, ${integer(plan.heldOutTokens)} held out`],
    ["model", `${plan.origin}: ${parameters(tuning.numParameters)} parameters, ${share}`],
    [
      "steps",
      `${integer(tuning.steps)} of ${batchSize} x ${tuning.time} tokens, keeping ${save} for the backward pass`,
    ],
    ["peak memory", memoryText(tuning.memory)],
    [
      "time",
      plan.isTuned
        ? "none: this folder's model is there from an earlier run"
        : `${seconds(tuning.predictedSeconds)} of training`,
    ],
  ]);
}

export function reportText({ index, tuning, served, memory, plan }: UpReport): string {
  const { summary } = tuning;
  const changes = index.added + index.changed + index.removed;
  const indexed =
    changes === 0
      ? "nothing changed"
      : `${index.added} added, ${index.changed} changed, ${index.removed} removed in ${seconds(index.seconds)}`;
  const trained = tuning.isCached
    ? "kept from an earlier run"
    : `${integer(summary.steps)} steps in ${seconds(tuning.seconds)} (${seconds(plan.tuning.predictedSeconds)} predicted), ${integer(tuning.tokensPerSecond)} tokens/s${summary.reason === "early stop" ? `; stopped early, best at step ${summary.best.step}` : ""}`;
  return rows([
    ["index", `${plural(plan.chunks, "chunk")}; ${indexed}`],
    ["training", trained],
    [
      "perplexity",
      `${tuning.perplexityBefore.toFixed(1)} before, ${tuning.perplexityAfter.toFixed(1)} after, on held-out documents (${tuning.bitsPerCharacter.toFixed(2)} bits per character)`,
    ],
    ["served as", `${served.format}, ${bytes(served.bytes)}: perplexity ${tuning.perplexityServed.toFixed(1)}`],
    ["peak memory", `${bytes(memory.measuredPeakBytes)} measured, ${bytes(memory.predicted.total)} predicted`],
    ["model folder", served.modelFolder],
  ]);
}
