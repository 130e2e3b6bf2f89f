import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import type { HostTensor } from "../base/host-tensor.js";
import { loadCheckpoint, newestIntact } from "../checkpoint/index.js";
import { createAdapter, tuningOf } from "../peft/index.js";
import { Runtime } from "../runtime/index.js";
import { packDocuments } from "./data/packing.js";
import type { TrainSummary } from "./loop.js";
import { adamw, lion } from "./optim/index.js";
import { type PhasedContext, type PhasedEvent, type TrainPhase, trainPhases } from "./phases.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 2 });
  folder = await mkdtemp(join(tmpdir(), "tessera-phases-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

const base = tinyModel({ num_hidden_layers: 1 });
const data = {
  train: packDocuments(
    Array.from({ length: 20 }, (_, i) => ({ ids: Int32Array.from({ length: 9 }, (_, j) => (i + j) % 11) })),
    16,
  ),
};

function phase(name: string, method: "ln" | "dora", optimizer = adamw()): TrainPhase {
  const schedule = { name: "constant", peak: 1e-2, warmupSteps: 0, totalSteps: 4, finalShare: 1 } as const;
  const options = {
    steps: 4,
    batchSize: 2,
    accumulate: 1,
    save: "all",
    attentionTile: 8,
    lossTile: { rows: 32, vocabulary: 11 },
    streamGradients: false,
    optimizer,
    weightDecay: 0,
    schedule,
    clipNorm: null,
    seed: 7,
    evaluateEvery: 0,
    patience: null,
  } as const;
  return { name, ...tuningOf(base, createAdapter(base, { method })), options };
}

const phases = (): TrainPhase[] => [phase("norms", "ln"), phase("adapter", "dora", lion())];

async function finish(
  context: Omit<PhasedContext, "runtime">,
  onEvent: (event: PhasedEvent) => void = () => {},
): Promise<TrainSummary[]> {
  const run = trainPhases({ runtime, ...context }, data, phases());
  for (;;) {
    const next = await run.next();
    if (next.done) return next.value;
    onEvent(next.value);
  }
}

const root = (name: string) => ({ root: join(folder, name), every: 2, keep: 2, fingerprint: "a" });
const copied = (parameters: ReadonlyMap<string, HostTensor>) =>
  new Map([...parameters].map(([name, { data }]) => [name, data.slice()] as const));

describe("trainPhases", () => {
  it("changes a phase's own parameters alone, which start from what the phase before left", async () => {
    const parameters = new Map(tinyParameters(base));
    const atStart = copied(parameters);
    let between = new Map<string, ArrayLike<number | bigint>>();
    const summaries = await finish({ parameters }, ({ phase, type, step }) => {
      if (phase === "norms" && type === "step" && step === 4) between = copied(parameters);
    });
    expect(summaries.map(({ steps, reason }) => [steps, reason])).toEqual([
      [4, "finished"],
      [4, "finished"],
    ]);
    const [norms, adapter] = phases();
    for (const [name, { data }] of parameters) {
      const ofFirst = norms!.isTrainable(name);
      const ofSecond = adapter!.isTrainable(name);
      if (atStart.has(name))
        expect(
          [...data].every((v, i) => v === atStart.get(name)![i]),
          name,
        ).toBe(!ofFirst);
      if (!ofSecond) expect(data, name).toEqual(between.get(name));
      expect(ofFirst && ofSecond).toBe(false);
    }
    expect([...parameters.keys()].some((name) => name.endsWith("lora_magnitude_vector"))).toBe(true);
  });

  it("takes up a run that was stopped in its second phase, with the bits of the uninterrupted one", async () => {
    const whole = new Map(tinyParameters(base));
    await finish({ parameters: whole });
    const stop = new AbortController();
    const aborted = await finish(
      { parameters: new Map(tinyParameters(base)), folder: root("run"), signal: stop.signal },
      ({ phase, type, step }) => {
        if (phase === "adapter" && type === "step" && step === 3) stop.abort();
      },
    );
    expect(aborted.map(({ reason }) => reason)).toEqual(["finished", "aborted"]);
    const parameters = new Map(tinyParameters(base));
    const steps: string[] = [];
    await finish({ parameters, folder: root("run") }, ({ phase, type, step }) => {
      if (type === "step") steps.push(`${phase} ${step}`);
    });
    expect(steps).toEqual(["adapter 4"]);
    for (const [name, { data }] of whole) expect(parameters.get(name)!.data, name).toEqual(data);
  });

  it("keeps no state of a phase that has ended", async () => {
    await finish({ parameters: new Map(tinyParameters(base)), folder: root("states") });
    const { checkpoint } = await newestIntact(join(folder, "states", "2-adapter"));
    await using last = await loadCheckpoint(checkpoint!.path);
    await checkpoint!.close();
    const states = [...last.group("optimizer").tensors.keys()];
    expect(states.length).toBeGreaterThan(0);
    expect(states.every((name) => /^momentum\..*lora_/.test(name))).toBe(true);
  });

  it("refuses phases of one name", async () => {
    const run = trainPhases({ runtime, parameters: new Map() }, data, [phase("a", "ln"), phase("a", "ln")]);
    await expect(run.next()).rejects.toThrow('that differ, got ["a","a"]');
  });
});
