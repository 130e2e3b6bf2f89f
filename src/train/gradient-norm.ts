/** @file The length of all gradients as one vector. */

import type { HostTensor } from "../base/host-tensor.js";
import { hostTensor, zeros } from "../base/host-tensor.js";
import { type Dim, graph, matmul, reshape, type Tensor } from "../graph/index.js";
import type { Binding, Runtime } from "../runtime/index.js";

/** Σ x² over the `size` elements of x, as a scalar. */
export function sumOfSquares(x: Tensor, size: Dim): Tensor {
  // a product of a row with itself as a column is one pass; squaring first would be two
  return reshape(matmul(reshape(x, [1, size]), reshape(x, [size, 1])), []);
}

/** Sums of squares over fixed gradient buffers. */
export class GradientNorm {
  readonly #parts: readonly { readonly run: Binding; readonly sum: HostTensor }[];

  private constructor(parts: readonly { readonly run: Binding; readonly sum: HostTensor }[]) {
    this.#parts = parts;
  }

  static async create(runtime: Runtime, gradients: Iterable<HostTensor>): Promise<GradientNorm> {
    const program = await runtime.compile(
      graph("sum_of_squares", { x: { dtype: "float32", shape: ["n"] } }, ({ x }) => ({
        sum: sumOfSquares(x, "n"),
      })),
    );
    const parts = [...gradients].map(({ data }) => {
      const sum = zeros("float32", []);
      return { sum, run: program.bind({ x: hostTensor("float32", [data.length], data) }, { sum }) };
    });
    return new GradientNorm(parts);
  }

  /** √Σ g². */
  async compute(): Promise<number> {
    let total = 0;
    for (const { run, sum } of this.#parts) {
      await run.run();
      total += Number(sum.data[0]);
    }
    return Math.sqrt(total);
  }

  close(): void {
    for (const { run } of this.#parts) run.release();
  }
}
