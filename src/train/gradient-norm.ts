/** @file The length of all gradients as one vector. */

import type { HostTensor } from "../base/host-tensor.js";
import { hostTensor, zeros } from "../base/host-tensor.js";
import { type Dim, graph, matmul, reshape, type Tensor } from "../graph/index.js";
import type { Binding, Program, Runtime } from "../runtime/index.js";

/** Σ x² over the `size` elements of x, as a scalar. */
export function sumOfSquares(x: Tensor, size: Dim): Tensor {
  // a product of a row with itself as a column is one pass; squaring first would be two
  return reshape(matmul(reshape(x, [1, size]), reshape(x, [size, 1])), []);
}

/** Sums of squares of gradients, whose buffers are bound when they first come. */
export class GradientNorm {
  readonly #parts = new Map<HostTensor, { readonly run: Binding; readonly sum: HostTensor }>();

  private constructor(private readonly program: Program) {}

  static async create(runtime: Runtime): Promise<GradientNorm> {
    return new GradientNorm(
      await runtime.compile(
        graph("sum_of_squares", { x: { dtype: "float32", shape: ["n"] } }, ({ x }) => ({ sum: sumOfSquares(x!, "n") })),
      ),
    );
  }

  /** Σ g² over all gradients, rooted. */
  async of(gradients: Iterable<HostTensor>): Promise<number> {
    let total = 0;
    for (const gradient of gradients) total += await this.squares(gradient);
    return Math.sqrt(total);
  }

  /** Σ g² over one gradient. */
  async squares(gradient: HostTensor): Promise<number> {
    const { run, sum } = this.#parts.get(gradient) ?? this.#bind(gradient);
    await run.run();
    return Number(sum.data[0]);
  }

  #bind(gradient: HostTensor) {
    const sum = zeros("float32", []);
    const { data } = gradient;
    const part = { sum, run: this.program.bind({ x: hostTensor("float32", [data.length], data) }, { sum }) };
    this.#parts.set(gradient, part);
    return part;
  }

  close(): void {
    for (const { run } of this.#parts.values()) run.release();
  }
}
