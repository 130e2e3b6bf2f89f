import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoWebGpu } from "../../../test/support/webgpu.js";
import { hostTensor, zeros } from "../../base/host-tensor.js";
import { add, graph, matmul, mul } from "../../graph/index.js";
import { Runtime } from "../index.js";

const missing = whyNoWebGpu();

it.runIf(missing?.startsWith("WebGPU: "))("says what is missing where there is no adapter", () => {
  expect(missing).toMatch(/^WebGPU: no adapter could be opened: .+\. It takes a GPU with a driver/);
});

describe.skipIf(missing !== undefined)(`WebGPU (${missing ?? "there is an adapter"})`, () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open({ backend: "webgpu", numThreads: 1 });
  });
  afterAll(() => runtime.close());

  const square = { dtype: "float32", shape: [2, 2] } as const;
  const step = graph("step", { a: square, b: square }, ({ a, b }) => ({
    c: add(matmul(a!, b!, { transB: true, scale: 0.5 }), b!),
  }));
  const values = (...data: number[]) => hostTensor("float32", [2, 2], Float32Array.from(data));

  it("runs programs on host tensors", async () => {
    const program = await runtime.compile(step);
    const { c } = await program.run({ a: values(1, 2, 3, 4), b: values(1, 0, 2, 6) });
    expect([...c!.data]).toEqual([1.5, 7, 3.5, 21]);
  });

  it("keeps tensors on the device from run to run, also in place", async () => {
    const memory = runtime.backend.memory!;
    const double = await runtime.compile(
      graph("double", { x: square, y: square }, ({ x, y }) => ({ z: add(mul(x!, 2), mul(y!, 0)) })),
    );
    const x = memory.allocate("float32", [2, 2]);
    await memory.write(values(1, 2, 3, 4), x);
    const binding = double.bind({ x, y: values(0, 0, 0, 0) }, { z: x });
    for (let i = 0; i < 3; i++) await binding.run();
    const seen = zeros("float32", [2, 2]);
    await memory.read(x, seen);
    expect([...seen.data]).toEqual([8, 16, 24, 32]);
    binding.release();
    x.release();
  });

  it("does one thing at a time, in order", async () => {
    const memory = runtime.backend.memory!;
    const program = await runtime.compile(graph("next", { x: square }, ({ x }) => ({ y: add(x!, 1) })));
    const [x, y] = [memory.allocate("float32", [2, 2]), memory.allocate("float32", [2, 2])];
    const [there, back] = [program.bind({ x }, { y }), program.bind({ x: y }, { y: x })];
    const seen = zeros("float32", [2, 2]);
    const work = [memory.write(values(0, 1, 2, 3), x)];
    for (let i = 0; i < 4; i++) work.push(there.run(), back.run());
    await Promise.all([...work, memory.read(x, seen)]);
    expect([...seen.data]).toEqual([8, 9, 10, 11]);
    for (const { release } of [x, y]) release();
    there.release();
    back.release();
  });

  it("refuses copies between other shapes and types", async () => {
    const memory = runtime.backend.memory!;
    const x = memory.allocate("float32", [2, 2]);
    await expect(memory.write(zeros("float32", [4]), x)).rejects.toThrow("float32[2,2] there, float32[4] here");
    await expect(memory.read(x, zeros("int32", [2, 2]))).rejects.toThrow("float32[2,2] there, int32[2,2] here");
    x.release();
  });
});
