import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { graph, matmul, mul, reduceSum, sub } from "../graph/index.js";
import { encoders, t5 } from "../models/index.js";
import { decoderParameters, encoderParameters, initialize, type ParameterSpec } from "../nn/index.js";
import { predict, type Stage, shiftRight, teacherForcedLogits } from "../plan/index.js";
import { type Feeds, Runtime } from "../runtime/index.js";
import type { StageTrainEvent, StageTrainSummary } from "./gradient-loop.js";
import { adamw, sgd } from "./optim/index.js";
import {
  labellingTask,
  padRows,
  type StageTrainContext,
  type StageTrainOptions,
  type StageTrainWork,
  textToTextTask,
  trainStages,
} from "./stage-trainer.js";

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), "tessera-stages-"));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

const float = (shape: readonly number[], values: readonly number[]): HostTensor =>
  hostTensor("float32", shape, Float32Array.from(values));

const numbers = (tensor: HostTensor): number[] => Array.from(tensor.data as Float32Array);

/** Mean squared error of x w against y, over `batch` rows of two numbers. */
const regression = (batch: number): Stage[] => [
  {
    graph: graph(
      "regression",
      {
        x: { dtype: "float32", shape: [batch, 2] },
        y: { dtype: "float32", shape: [batch, 1] },
        w: { dtype: "float32", shape: [2, 1] },
      },
      ({ x, y, w }) => {
        const error = sub(matmul(x, w), y);
        return { loss: reduceSum(mul(mul(error, error), 1 / batch), [0, 1]) };
      },
    ),
    parameters: { w: "w" },
    inputs: { x: "x", y: "y" },
    outputs: { loss: "loss" },
  },
];

/** Rows of y = 2 x₀ - x₁, the same for the same index. */
function rowsAt(index: number, batch: number): Feeds {
  const rng = new Rng(index);
  const x = Array.from({ length: 2 * batch }, () => rng.normal());
  const y = Array.from({ length: batch }, (_, i) => 2 * x[2 * i]! - x[2 * i + 1]!);
  return { x: float([batch, 2], x), y: float([batch, 1], y) };
}

/** Two batches of two as one of four. */
function joined(index: number): Feeds {
  const parts = [rowsAt(2 * index, 2), rowsAt(2 * index + 1, 2)];
  const all = (name: string): number[] => parts.flatMap((part) => numbers(part[name]!));
  return { x: float([4, 2], all("x")), y: float([4, 1], all("y")) };
}

const weights = () => new Map([["w", float([2, 1], [0.5, 0.25])]]);
const optionsOf = (changes: Partial<StageTrainOptions> = {}): StageTrainOptions => ({
  steps: 5,
  optimizer: sgd(),
  schedule: { name: "constant", peak: 0.1, warmupSteps: 0, totalSteps: 5, finalShare: 1 },
  seed: 3,
  ...changes,
});

async function finish(
  context: Omit<StageTrainContext, "runtime">,
  work: StageTrainWork,
  options: StageTrainOptions,
): Promise<{ events: StageTrainEvent[]; summary: StageTrainSummary }> {
  const run = trainStages({ runtime, ...context }, work, options);
  const events: StageTrainEvent[] = [];
  for (;;) {
    const next = await run.next();
    if (next.done) return { events, summary: next.value };
    events.push(next.value);
  }
}

describe("trainStages", () => {
  it("brings the loss down and evaluates when asked to", async () => {
    const parameters = weights();
    const error = async () => Math.abs(Number(parameters.get("w")!.data[0]) - 2);
    const schedule = { name: "linear", peak: 0.2, warmupSteps: 0, totalSteps: 60, finalShare: 0.1 } as const;
    const { events, summary } = await finish(
      { stages: regression(4), parameters },
      { batch: (i) => rowsAt(i, 4), evaluate: error },
      optionsOf({ steps: 60, schedule, evaluateEvery: 25 }),
    );
    expect(events.flatMap((event) => (event.type === "evaluation" ? [event.step] : []))).toEqual([0, 25, 50, 60]);
    expect(summary).toMatchObject({ steps: 60, reason: "finished", before: 1.5 });
    expect(summary.after).toBeLessThan(1e-3);
    expect(numbers(parameters.get("w")!).map((v) => Number(v.toFixed(2)))).toEqual([2, -1]);
  });

  it("follows the mean gradient of its micro-batches, clipped to a length", async () => {
    const [apart, together, clipped] = [weights(), weights(), weights()];
    const of = { stages: regression(2), parameters: apart };
    const { events } = await finish(of, { batch: (i) => rowsAt(i, 2) }, optionsOf({ accumulate: 2 }));
    const whole = await finish({ stages: regression(4), parameters: together }, { batch: joined }, optionsOf());
    for (const [i, event] of events.entries()) {
      const other = whole.events[i]!;
      if (event.type !== "step" || other.type !== "step") throw new Error("only steps are reported here");
      expect(event.loss).toBeCloseTo(other.loss, 5);
      expect(event.gradientNorm).toBeCloseTo(other.gradientNorm, 5);
    }
    for (const i of [0, 1]) expect(Number(apart.get("w")!.data[i])).toBeCloseTo(Number(together.get("w")!.data[i]), 5);
    const short = optionsOf({ steps: 1, accumulate: 2, clipNorm: 0.01 });
    await finish({ stages: regression(2), parameters: clipped }, { batch: (i) => rowsAt(i, 2) }, short);
    const moved = [0.5, 0.25].map((start, i) => Number(clipped.get("w")!.data[i]) - start);
    expect(Math.hypot(...moved)).toBeCloseTo(0.1 * 0.01, 6);
  });

  it("goes on from a checkpoint with the same bits", async () => {
    const run = (name: string) => ({ root: join(folder, name), every: 2, keep: 2, fingerprint: "a" });
    const work = { batch: (i: number) => rowsAt(i, 2), evaluate: async () => 7 };
    const options = optionsOf({ optimizer: adamw() });
    const [straight, stopped, resumed] = [weights(), weights(), weights()];
    await finish({ stages: regression(2), parameters: straight }, work, options);
    const stop = new AbortController();
    const stopping = {
      ...work,
      batch: (i: number) => {
        if (i === 2) stop.abort();
        return rowsAt(i, 2);
      },
    };
    const aborted = await finish(
      { stages: regression(2), parameters: stopped, folder: run("a"), signal: stop.signal },
      stopping,
      options,
    );
    expect(aborted.summary).toEqual({ steps: 3, reason: "aborted", before: 7 });
    const { events, summary } = await finish(
      { stages: regression(2), parameters: resumed, folder: run("a") },
      work,
      options,
    );
    expect(events.map(({ type, step }) => `${type} ${step}`)).toEqual([
      "step 4",
      "checkpoint 4",
      "step 5",
      "evaluation 5",
      "checkpoint 5",
    ]);
    expect(summary).toEqual({ steps: 5, reason: "finished", before: 7, after: 7 });
    expect(resumed.get("w")!.data).toEqual(straight.get("w")!.data);
  });

  it("names what it cannot train on", async () => {
    const of = () => ({ stages: regression(2), parameters: weights() });
    const batch = (i: number): Feeds => rowsAt(i, 2);
    await expect(finish(of(), { batch: () => ({ x: batch(0).x! }) }, optionsOf())).rejects.toThrow(
      'the batch gives x; "y" is in one only',
    );
    const more = { batch: () => ({ ...batch(0), z: batch(0).x! }) };
    await expect(finish(of(), more, optionsOf())).rejects.toThrow('"z" is in one only');
    await expect(finish(of(), { batch: (i) => rowsAt(i, 4) }, optionsOf())).rejects.toThrow(
      '"x" must be float32 [2,2], as the chain was made for, got float32 [4,2]',
    );
    const broken = { batch: (i: number) => (i === 1 ? { ...batch(i), y: float([2, 1], [Number.NaN, 0]) } : batch(i)) };
    await expect(finish(of(), broken, optionsOf())).rejects.toThrow("step 2: the loss is NaN; a lower learning rate");
    await expect(finish(of(), { batch }, optionsOf({ steps: 0 }))).rejects.toThrow("steps must be a whole number");
    await expect(finish(of(), { batch }, optionsOf({ isTrainable: () => false }))).rejects.toThrow("trainable");
  });
});

const sizes = { vocab_size: 12, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16 };
const bertOf = (dropout: number) =>
  encoders.bert({
    ...sizes,
    model_type: "bert",
    max_position_embeddings: 6,
    num_labels: 3,
    initializer_range: 0.5,
    hidden_dropout_prob: dropout,
    attention_probs_dropout_prob: dropout,
  });
const copied = (specs: readonly ParameterSpec[]) =>
  initialize([...new Map(specs.map((spec) => [spec.name, spec])).values()], 1);

/** Mean of -log softmax at the labels that are not negative. logits [N, K]. */
function crossEntropy(logits: readonly number[], labels: readonly number[]): number {
  const width = logits.length / labels.length;
  const losses = labels.flatMap((label, i) => {
    if (label < 0) return [];
    const row = Array.from({ length: width }, (_, j) => logits[i * width + j]!);
    return [Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[label]!];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Loss of the first step, before anything is learned. */
async function firstLoss(stages: readonly Stage[], parameters: Map<string, HostTensor>, feeds: Feeds, seed = 3) {
  const { events } = await finish({ stages, parameters }, { batch: () => feeds }, optionsOf({ steps: 1, seed }));
  const [event] = events;
  if (event?.type !== "step") throw new Error("the first event is a step");
  return event.loss;
}

describe("tasks", () => {
  const ids = [
    [1, 5, 7, 2],
    [1, 9, 2],
  ];
  const shape = { batch: 2, time: 6 };

  it.each([
    ["sequence-classification", [[2], [0]]],
    [
      "token-classification",
      [
        [-1, 0, 2, -1],
        [-1, 1, -1],
      ],
    ],
    [
      "masked-lm",
      [
        [-1, 5, -1, -1],
        [-1, 8, -1],
      ],
    ],
  ] as const)("%s: the loss is the mean over all labels", async (task, labels) => {
    const { encoder, head: headOf } = bertOf(0);
    const head = headOf(task);
    const parameters = copied([...encoderParameters(encoder), ...head.parameters]);
    const logits = await predict(runtime, encoder, head, parameters, padRows(ids, 6, 0));
    const flat = labels.flatMap((row) =>
      row.length === 1 ? row : [...row, ...Array<number>(6 - row.length).fill(-1)],
    );
    const { stages, feeds } = labellingTask(encoder, head, shape);
    const examples = ids.map((row, i) => ({ ids: row, labels: labels[i]! }));
    const loss = await firstLoss(stages, parameters, feeds(examples));
    expect(loss).toBeCloseTo(crossEntropy(numbers(logits), flat), 4);
  });

  it("drop by the seed", async () => {
    const { encoder, head: headOf } = bertOf(0.3);
    const head = headOf("sequence-classification");
    const { stages, feeds } = labellingTask(encoder, head, shape);
    const batch = feeds(ids.map((row) => ({ ids: row, labels: [1] })));
    const specs = [...encoderParameters(encoder), ...head.parameters];
    const loss = await firstLoss(stages, copied(specs), batch);
    expect(await firstLoss(stages, copied(specs), batch)).toBe(loss);
    expect(await firstLoss(stages, copied(specs), batch, 4)).not.toBe(loss);
  });

  it("text to text: the loss is the mean over the targets' tokens", async () => {
    const model = t5({ vocab_size: 12, d_model: 8, d_kv: 4, d_ff: 16, num_layers: 1, num_heads: 2, dropout_rate: 0 });
    const parameters = copied([...encoderParameters(model.encoder), ...decoderParameters(model.decoder)]);
    const pairs = [
      { source: [3, 4, 5, 1], target: [5, 4, 1] },
      { source: [6, 1], target: [6, 1] },
    ];
    const labels = [5, 4, 1, -1, 6, 1, -1, -1];
    const source = padRows(
      pairs.map((pair) => pair.source),
      6,
      0,
    );
    const logits = await teacherForcedLogits(runtime, model, parameters, source, shiftRight(model, labels, 4));
    const { stages, feeds } = textToTextTask(model, { ...shape, targetTime: 4 });
    const loss = await firstLoss(stages, parameters, feeds(pairs));
    expect(loss).toBeCloseTo(crossEntropy(numbers(logits), labels), 4);
  });

  it("name the example that does not fit", () => {
    const { encoder, head } = bertOf(0);
    const { feeds } = labellingTask(encoder, head("sequence-classification"), shape);
    const both = (labels: number[]) => ids.map((row) => ({ ids: row, labels }));
    expect(() => feeds(both([1]).slice(1))).toThrow("made for 2 examples, got 1");
    expect(() => feeds(both([1, 2]))).toThrow("expected 1 whole numbers as labels for 4 ids, got 1,2");
    expect(() => feeds(both([3]))).toThrow("labels from 0 to 2, got 3");
    expect(() => feeds(both([-1]))).toThrow("got none that is not negative");
    expect(() => feeds(both([0.5]))).toThrow("got 0.5");
    expect(() => padRows([[1, 0.5]], 2, 0)).toThrow("an id 0.5");
    expect(() => padRows([[1], []], 4, 0)).toThrow("row 1 has 0 ids, expected 1 to 4");
    expect(() => padRows([[1, 2, 3]], 2, 0)).toThrow("row 0 has 3 ids");
    expect(Array.from(padRows([[1], [2, 3]], 2, 9).ids)).toEqual([1, 9, 2, 3]);
  });
});
