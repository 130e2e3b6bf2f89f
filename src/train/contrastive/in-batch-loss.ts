/** @file The contrastive loss of a batch of embeddings, with its gradients by them, over fixed buffers. */

import { ConfigError } from "../../base/errors.js";
import { type HostTensor, zeros } from "../../base/host-tensor.js";
import { type Graph, grad, graph, scalar } from "../../graph/index.js";
import { type InBatchOptions, inBatchLoss } from "../../plan/index.js";
import type { Binding, Runtime } from "../../runtime/index.js";

export interface InBatchShape extends InBatchOptions {
  /** B: queries of a batch. */
  readonly batch: number;
  /** Hard negatives per query. Default 0. */
  readonly numNegatives?: number;
  /** W: length of a vector. */
  readonly width: number;
}

/** `inBatchLoss` and its gradients in one graph. */
function lossGraph({ batch, numNegatives = 0, width, ...options }: InBatchShape): Graph {
  const inputs = {
    queries: { dtype: "float32", shape: [batch, width] },
    passages: { dtype: "float32", shape: [batch * (1 + numNegatives), width] },
  } as const;
  return graph("in_batch_loss", inputs, ({ queries, passages }) => {
    const loss = inBatchLoss(queries, passages, options);
    const [dQueries, dPassages] = grad([{ output: loss, cotangent: scalar(1) }], [queries, passages]);
    return { loss, d_queries: dQueries!, d_passages: dPassages! };
  });
}

/** The loss over fixed buffers: fill `queries` and `passages`, run, and read the gradients. */
export class InBatchLoss {
  private constructor(
    readonly queries: HostTensor,
    readonly passages: HostTensor,
    readonly queryGradients: HostTensor,
    readonly passageGradients: HostTensor,
    private readonly loss: HostTensor,
    private readonly binding: Binding,
  ) {}

  /** @throws ConfigError for numbers that are no sizes, or a scale that is not positive. */
  static async create(runtime: Runtime, options: InBatchShape): Promise<InBatchLoss> {
    const { batch, numNegatives = 0, width, scale = 20 } = options;
    const sizes = { batch: [batch, 2], numNegatives: [numNegatives, 0], width: [width, 1] } as const;
    for (const [name, [value, least]] of Object.entries(sizes)) {
      if (!Number.isInteger(value) || value < least) {
        throw new ConfigError(`contrastive loss: ${name} must be a whole number from ${least} on, got ${value}`);
      }
    }
    if (!(scale > 0)) throw new ConfigError(`contrastive loss: scale must be positive, got ${scale}`);
    const [queries, passages] = [
      zeros("float32", [batch, width]),
      zeros("float32", [batch * (1 + numNegatives), width]),
    ];
    const [dQueries, dPassages] = [zeros("float32", queries.shape), zeros("float32", passages.shape)];
    const loss = zeros("float32", []);
    const program = await runtime.compile(lossGraph(options));
    const binding = program.bind({ queries, passages }, { loss, d_queries: dQueries, d_passages: dPassages });
    return new InBatchLoss(queries, passages, dQueries, dPassages, loss, binding);
  }

  /** The loss of what the buffers hold; the gradients are then there too. */
  async run(): Promise<number> {
    await this.binding.run();
    return Number(this.loss.data[0]);
  }

  close(): void {
    this.binding.release();
  }
}
