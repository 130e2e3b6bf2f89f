import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostTensor, zeros } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { add, exp, graph, matmul, mul, reduceSum, reshape, silu } from "../graph/index.js";
import { Runtime } from "./program.js";

const affine = graph(
  "affine",
  {
    x: { dtype: "float32", shape: ["rows", 4] },
    w: { dtype: "float32", shape: [3, 4] },
  },
  ({ x, w }) => ({ y: add(matmul(x, w, { transB: true }), 1) }),
);
const ones = (...shape: number[]) =>
  hostTensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1));

let native: Runtime;
let binding: Runtime;
beforeAll(async () => {
  // the native backend first: the process's environment with its shared thread pool is made once
  native = await Runtime.open({ numThreads: 2 });
  binding = await Runtime.open({ backend: "binding", numThreads: 2 });
});
afterAll(async () => {
  await native.close();
  await binding.close();
});

describe.each(["native", "binding"] as const)("Runtime on the %s backend", (name) => {
  const runtime = (): Runtime => (name === "native" ? native : binding);

  it("runs one program for every size of a named dim", async () => {
    const program = await runtime().compile(affine);
    for (const rows of [1, 5]) {
      const { y } = await program.run({ x: ones(rows, 4), w: ones(3, 4) });
      expect(y!.shape).toEqual([rows, 3]);
      expect([...(y!.data as Float32Array)]).toEqual(new Array(rows * 3).fill(5));
    }
  });

  it("writes outputs into the buffers it is given", async () => {
    const program = await runtime().compile(affine);
    const y = zeros("float32", [2, 3]);
    const feeds = { x: ones(2, 4), w: ones(3, 4) };
    const bound = program.bind(feeds, { y });
    await bound.run();
    expect(y.data[5]).toBe(5);
    (feeds.x.data as Float32Array).fill(2);
    await bound.run();
    expect(y.data[5]).toBe(9);
    bound.release();
  });

  it("says what is wrong with feeds", async () => {
    const program = await runtime().compile(affine);
    const [x, w] = [ones(2, 4), ones(3, 4)];
    await expect(program.run({ x })).rejects.toThrow('input "w" (float32[3,4]) was not fed');
    await expect(program.run({ x, w, z: x })).rejects.toThrow('has no input "z"; it has: x, w');
    await expect(program.run({ x, w: ones(4, 3) })).rejects.toThrow('"w" is float32[3,4], but float32[4,3] was fed');
    await expect(program.run({ x, w }, { y: ones(2, 4) })).rejects.toThrow(
      '"y" is float32[2,3], its buffer is float32[2,4]',
    );
    const ids = hostTensor("int64", [2, 4], new BigInt64Array(8));
    await expect(program.run({ x: ids, w })).rejects.toThrow("int64[2,4] was fed");
  });

  it("passes on the runtime's words when it refuses a run", async () => {
    // row 7 does not exist: only the runtime can see it
    const { gather } = await import("../graph/index.js");
    const rows = graph(
      "rows",
      { table: { dtype: "float32", shape: [2, 2] }, ids: { dtype: "int64", shape: [1] } },
      ({ table, ids }) => ({ y: gather(table, ids) }),
    );
    const program = await runtime().compile(rows);
    const ids = hostTensor("int64", [1], BigInt64Array.of(7n));
    await expect(program.run({ table: ones(2, 2), ids })).rejects.toThrow(
      /ONNX Runtime: .*(indices|index|out of bounds)/i,
    );
  });
});

describe("the native backend", () => {
  it("computes what the official binding computes, to the bit", async () => {
    const wide = graph(
      "wide",
      { x: { dtype: "float32", shape: [64, 96] }, w: { dtype: "float32", shape: [80, 96] } },
      ({ x, w }) => {
        const h = silu(matmul(x, w, { transB: true }));
        return { h, sum: reduceSum(mul(h, exp(h)), [1]) };
      },
    );
    const rng = new Rng(1);
    const random = (...shape: number[]) => {
      const tensor = zeros("float32", shape);
      for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = rng.normal() / 8;
      return tensor;
    };
    const feeds = { x: random(64, 96), w: random(80, 96) };
    const [a, b] = [await (await native.compile(wide)).run(feeds), await (await binding.compile(wide)).run(feeds)];
    expect(a.h!.data).toEqual(b.h!.data);
    expect(a.sum!.data).toEqual(b.sum!.data);
  });

  it("reads and writes memory that workers share", async () => {
    const program = await native.compile(affine);
    const shared = (length: number) => new Float32Array(new SharedArrayBuffer(length * 4));
    const x = hostTensor("float32", [2, 4], shared(8).fill(1));
    const y = hostTensor("float32", [2, 3], shared(6));
    await program.run({ x, w: ones(3, 4) }, { y });
    expect([...(y.data as Float32Array)]).toEqual([5, 5, 5, 5, 5, 5]);
  });

  it("does not hold up the event loop while a program runs", async () => {
    const heavy = graph("heavy", { x: { dtype: "float32", shape: [1500, 1500] } }, ({ x }) => ({
      y: matmul(matmul(x, x), x),
    }));
    const program = await native.compile(heavy);
    let isRunning = true;
    const run = program.run({ x: ones(1500, 1500) }).finally(() => {
      isRunning = false;
    });
    let turns = 0;
    while (isRunning) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    await run;
    expect(turns).toBeGreaterThan(10);
  });

  it("compiles equal graphs once, and the same graph whatever its size", async () => {
    const build = () => graph("same", { x: { dtype: "float32", shape: ["n"] } }, ({ x }) => ({ y: add(x, 2) }));
    const loads = { count: 0 };
    const runtime = await Runtime.open({
      backend: {
        ...native.backend,
        load: (...args) => {
          loads.count++;
          return native.backend.load(...args);
        },
        close: async () => {},
      },
    });
    await runtime.compile(build());
    await runtime.compile(build());
    expect(loads.count).toBe(1);
    await runtime.close();
  });

  it("refuses to run what was closed, and waits for runs in flight before it closes", async () => {
    const runtime = await Runtime.open({ numThreads: 2 });
    const heavy = graph("closing", { x: { dtype: "float32", shape: [900, 900] } }, ({ x }) => ({ y: matmul(x, x) }));
    const program = await runtime.compile(heavy);
    const y = zeros("float32", [900, 900]);
    const run = program.run({ x: ones(900, 900) }, { y });
    await program.close();
    await run;
    expect(y.data[0]).toBe(900);
    expect(() => program.bind({ x: ones(900, 900) }, { y })).toThrow("closed");
    await runtime.close();
  });

  it("keeps its head under many runs at once, with buffers of all sizes and garbage collected between", async () => {
    const total = graph("total", { x: { dtype: "float32", shape: ["n"] } }, ({ x }) => ({
      y: reduceSum(reshape(x, [1, "n"]), [1]),
    }));
    const program = await native.compile(total);
    const rng = new Rng(9);
    const one = async (): Promise<void> => {
      const n = 1 + rng.below(3) ** 8 + rng.below(40);
      const { y } = await program.run({ x: ones(n) });
      expect(y!.data[0]).toBe(n);
    };
    for (let round = 0; round < 30; round++) {
      await Promise.all(Array.from({ length: 16 }, one));
      // garbage: small arrays live on V8's heap and would move if their memory were not pinned outside it
      Array.from({ length: 2000 }, () => new Float32Array(8));
    }
  });

  it("leaks nothing over thousands of bindings", async () => {
    const program = await native.compile(affine);
    const feeds = { x: ones(64, 4), w: ones(3, 4) };
    const rounds = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) await program.run(feeds);
      return process.memoryUsage().rss;
    };
    const warm = await rounds(3000);
    const after = await rounds(6000);
    // an OrtValue that is not released costs about 500 bytes: 6000 runs x 3 would be 9 MB; the garbage collector's own
    // swing is below that
    expect(after - warm).toBeLessThan(8 * 2 ** 20);
  });
});
