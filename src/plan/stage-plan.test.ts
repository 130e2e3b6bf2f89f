import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { add, type Graph, graph, mul, reduceSum } from "../graph/index.js";
import { Runtime } from "../runtime/index.js";
import { StagePlan } from "./stage-plan.js";
import { leavesOf, runStages, type Stage } from "./stages.js";

const vector = { dtype: "float32", shape: [2] } as const;
const host = (...values: number[]): HostTensor => hostTensor("float32", [values.length], Float32Array.from(values));
/** y = x · w + shared, and an output that nothing reads. */
const scaled: Graph = graph("scaled", { x: vector, shared: vector, w: vector }, ({ x, shared, w }) => ({
  y: add(mul(x, w), shared),
  unread: mul(x, 3),
}));
const start: Graph = graph("start", { x: vector, a: vector }, ({ x, a }) => ({ y: mul(x, a), shared: mul(a, a) }));
const end: Graph = graph("end", { x: vector, w: vector }, ({ x, w }) => ({ loss: reduceSum(mul(mul(x, x), w), [0]) }));

/** loss = Σ w2 h2², h2 = h1 w2 + a², h1 = h0 w1 + a², h0 = x a: a, a² and w2 are each read twice. */
const stages: Stage[] = [
  { graph: start, parameters: { a: "a" }, inputs: { x: "x" }, outputs: { y: "h0", shared: "s" } },
  { graph: scaled, parameters: { w: "w1" }, inputs: { x: "h0", shared: "s" }, outputs: { y: "h1", unread: "u1" } },
  { graph: scaled, parameters: { w: "w2" }, inputs: { x: "h1", shared: "s" }, outputs: { y: "h2", unread: "u2" } },
  { graph: end, parameters: { w: "w2" }, inputs: { x: "h2" }, outputs: { loss: "loss" } },
];
const values = { a: [0.5, -1.5], w1: [1.25, 0.75], w2: [-0.5, 2] };
const x = [2, 3];
const parameters = new Map(Object.entries(values).map(([name, v]) => [name, host(...v)]));

/** Loss and gradients of one element by the chain rule. */
function byHand(i: number): { loss: number; a: number; w1: number; w2: number } {
  const [a, w1, w2] = [values.a[i]!, values.w1[i]!, values.w2[i]!];
  const h0 = x[i]! * a;
  const h1 = h0 * w1 + a * a;
  const h2 = h1 * w2 + a * a;
  const d2 = 2 * h2 * w2;
  const d1 = d2 * w2;
  return {
    loss: w2 * h2 * h2,
    w2: h2 * h2 + d2 * h1,
    w1: d1 * h0,
    a: (d2 + d1) * 2 * a + d1 * w1 * x[i]!,
  };
}

const expected = [byHand(0), byHand(1)] as const;
const rounded = (data: HostTensor["data"]): number[] => Array.from(data as Float32Array, (v) => Number(v.toFixed(4)));
const handed = (name: "a" | "w1" | "w2"): number[] => expected.map((e) => Number(e[name].toFixed(4)));

describe("StagePlan", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open({ numThreads: 1 });
  });
  afterAll(() => runtime.close());

  it.each(["all", "selective", "inputs"] as const)(
    "sums gradients where a value or parameter is read twice, keeping %s",
    async (save) => {
      const plan = await StagePlan.create(runtime, stages, parameters, { save, isTrainable: () => true });
      (plan.feeds.x!.data as Float32Array).set(x);
      for (const _ of [0, 1]) {
        expect(await plan.run()).toBeCloseTo(expected[0].loss + expected[1].loss, 4);
        for (const name of ["a", "w1", "w2"] as const) {
          expect(rounded(plan.gradients.get(name)!.data)).toEqual(handed(name));
        }
      }
      await plan.run({ accumulate: true });
      expect(rounded(plan.gradients.get("w2")!.data)).toEqual(expected.map((e) => Number((2 * e.w2).toFixed(4))));
      plan.close();
    },
  );

  it("differentiates only by what is trained", async () => {
    const isTrainable = (name: string): boolean => name === "w1";
    const plan = await StagePlan.create(runtime, stages, parameters, { save: "all", isTrainable });
    (plan.feeds.x!.data as Float32Array).set(x);
    await plan.run();
    expect([...plan.gradients.keys()]).toEqual(["w1"]);
    expect(rounded(plan.gradients.get("w1")!.data)).toEqual(handed("w1"));
    plan.close();
  });

  it("refuses chains that it cannot train", async () => {
    const options = { save: "all", isTrainable: () => false } as const;
    await expect(StagePlan.create(runtime, stages, parameters, options)).rejects.toThrow("trainable");
    await expect(StagePlan.create(runtime, stages.slice(0, 2), parameters, options)).rejects.toThrow("loss");
    const all = { save: "all", isTrainable: () => true } as const;
    await expect(StagePlan.create(runtime, stages, new Map(), all)).rejects.toThrow("is missing");
    const plan = await StagePlan.create(runtime, stages, parameters, all);
    (plan.feeds.x!.data as Float32Array).set([Number.NaN, 3]);
    await expect(plan.run()).rejects.toThrow("the loss is NaN");
    plan.close();
  });

  it("runs a chain once, keeping what is asked for", async () => {
    expect([...leavesOf(stages).keys()]).toEqual(["x"]);
    const made = await runStages(runtime, stages, parameters, { x: host(...x) }, ["loss", "h0"]);
    expect(Object.keys(made)).toEqual(["loss", "h0"]);
    expect(rounded(made.h0!.data)).toEqual([1, -4.5]);
    expect(Number(made.loss!.data[0])).toBeCloseTo(expected[0].loss + expected[1].loss, 4);
    await expect(runStages(runtime, stages, parameters, {}, ["loss"])).rejects.toThrow('no value "x"');
    await expect(runStages(runtime, stages, parameters, { x: host(...x) }, ["h9"])).rejects.toThrow('"h9"');
  });
});
