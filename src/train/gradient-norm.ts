/** @file The length of all gradients as one vector. */

import type { HostTensor } from "../base/host-tensor.js";
import { hostTensor, zeros } from "../base/host-tensor.js";
import { graph, matmul, reshape } from "../graph/index.js";
import type { Binding, Runtime } from "../runtime/index.js";

/** Sums of squares over fixed gradient buffers. */
export class GradientNorm {
  readonly #parts: readonly { readonly run: Binding; readonly sum: HostTensor }[];

  private constructor(parts: readonly { readonly run: Binding; readonly sum: HostTensor }[]) {
    this.#parts = parts;
  }

  static async create(runtime: Runtime, gradients: Iterable<HostTensor>): Promise<GradientNorm> {
    const program = await runtime.compile(
      graph("sum_of_squares", { x: { dtype: "float32", shape: ["n"] } }, ({ x }) => {
        // a product of a row with itself as a column is one pass; squaring first would be two
        const product = matmul(reshape(x, [1, "n"]), reshape(x, ["n", 1]));
        return { sum: reshape(product, []) };
      }),
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
