/** @file How fast this machine multiplies matrices. */

import { zeros } from "../base/host-tensor.js";
import { graph, matmul } from "../graph/index.js";
import type { Runtime } from "../runtime/index.js";

const SIZE = 1024;
const ROUNDS = 5;

/** Floating-point operations per second in products of [1024, 1024] matrices: the best of a few, after one that warms up. */
export async function measureFlops(runtime: Runtime): Promise<number> {
  const matrix = { dtype: "float32" as const, shape: [SIZE, SIZE] };
  const program = await runtime.compile(
    graph("product", { a: matrix, b: matrix }, ({ a, b }) => ({ c: matmul(a!, b!) })),
  );
  const [a, b, c] = [0, 1, 2].map(() => zeros("float32", [SIZE, SIZE]));
  const binding = program.bind({ a: a!, b: b! }, { c: c! });
  try {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i <= ROUNDS; i++) {
      const start = performance.now();
      await binding.run();
      if (i > 0) best = Math.min(best, performance.now() - start);
    }
    return (2 * SIZE ** 3) / (best / 1000);
  } finally {
    binding.release();
  }
}
