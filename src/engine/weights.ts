/** @file Weights as generation holds them: dense, or packed to 8 or 4 bits. */

import { type HostTensor, zeros } from "../base/host-tensor.js";
import {
  type BlockwiseMatrix,
  blockwiseBytes,
  dequantize,
  dequantizeRow,
  type PackedFormat,
  packedBits,
  quantizeBlockwise,
} from "../compress/index.js";
import { add, constant } from "../graph/index.js";
import {
  denseLinear,
  type LanguageModel,
  linearShape,
  type ParameterSpec,
  type Parameters,
  packedLinear,
  parameterSpecs,
  type Scope,
} from "../nn/index.js";
import type { StepWeights } from "./live-weights.js";

export type WeightFormat = "float32" | PackedFormat;

/**
 * Parameters of a model for generation. Matrices of linear maps are packed unless the format is float32, the head's among them;
 * an embedding that is also the head is packed once and read in both roles.
 */
export class Weights implements StepWeights {
  readonly inputs = {};
  readonly feeds = {};
  readonly #dense = new Map<string, HostTensor>();
  readonly #packed = new Map<string, BlockwiseMatrix>();
  readonly #model: LanguageModel;
  readonly #specs: ReadonlyMap<string, ParameterSpec>;

  constructor(
    model: LanguageModel,
    parameters: Parameters,
    readonly format: WeightFormat,
  ) {
    this.#model = model;
    this.#specs = new Map(parameterSpecs(model).map((spec) => [spec.name, spec]));
    for (const [name, tensor] of parameters) this.#add(name, tensor);
  }

  /**
   * Packs parameters as they come and keeps none of them as it came, so that beside the packed model only the one at hand is in
   * memory.
   */
  static async pack(
    model: LanguageModel,
    parameters: Iterable<readonly [string, HostTensor]> | AsyncIterable<readonly [string, HostTensor]>,
    format: WeightFormat,
  ): Promise<Weights> {
    const weights = new Weights(model, new Map(), format);
    for await (const [name, tensor] of parameters) weights.#add(name, tensor);
    return weights;
  }

  #add(name: string, tensor: HostTensor): void {
    const spec = this.#specs.get(name) ?? { name, shape: tensor.shape, init: { fill: 0 } };
    if (this.format === "float32" || linearShape(spec) === undefined) this.#dense.set(name, tensor);
    else {
      const matrix = this.#isTransposed(name) ? transposed(tensor) : tensor;
      this.#packed.set(name, quantizeBlockwise(matrix, { bits: packedBits(this.#model, name, this.format) }));
    }
  }

  #isTransposed(name: string): boolean {
    return this.#specs.get(name)?.matrix === "transposed";
  }

  /** Bytes of all weights. */
  get bytes(): number {
    let sum = 0;
    for (const { data } of this.#dense.values()) sum += data.byteLength;
    for (const matrix of this.#packed.values()) sum += blockwiseBytes(matrix);
    return sum;
  }

  /** Bytes that a token reads: all weights, but next to nothing of an embedding that is not the head too. */
  get bytesPerToken(): number {
    const { embedding, head } = this.#model;
    if (head.weight.name === embedding.name) return this.bytes;
    const [dense, packed] = [this.#dense.get(embedding.name), this.#packed.get(embedding.name)];
    return this.bytes - (packed ? blockwiseBytes(packed) : (dense?.data.byteLength ?? 0));
  }

  /** The float32 values that the packed weights stand for, to measure what packing costs. */
  unpacked(): Map<string, HostTensor> {
    const unpacked = [...this.#packed].map(([name, packed]) => {
      const matrix = dequantize(packed);
      return [name, this.#isTransposed(name) ? transposed(matrix) : matrix] as const;
    });
    return new Map([...this.#dense, ...unpacked]);
  }

  /** Copies the embeddings of `ids` to `out` [ids, D]. */
  embed(ids: ArrayLike<number>, out: Float32Array): void {
    const name = this.#model.embedding.name;
    const width = this.#model.hiddenSize;
    const [dense, packed] = [this.#dense.get(name), this.#packed.get(name)];
    for (let i = 0; i < ids.length; i++) {
      const [row, target] = [ids[i]!, out.subarray(i * width, (i + 1) * width)];
      if (packed) dequantizeRow(packed, row, target);
      else target.set((dense!.data as Float32Array).subarray(row * width, (row + 1) * width));
    }
  }

  /** A scope over the parameters with a prefix, all constants of the program. */
  scope(prefix: string): Scope {
    const tensor = (name: string) => constant(this.#dense.get(prefix + name)!);
    const has = (name: string): boolean => this.#dense.has(prefix + name) || this.#packed.has(prefix + name);
    return {
      tensor,
      has,
      linear: (name) => {
        const weight = `${name}.weight`;
        const matrix = this.#packed.get(prefix + weight);
        const bias = has(`${name}.bias`) ? tensor(`${name}.bias`) : undefined;
        if (!matrix) return denseLinear(tensor(weight), bias, { isTransposed: this.#isTransposed(prefix + weight) });
        const packed = packedLinear(matrix);
        return bias ? { ...packed, forward: (x) => add(packed.forward(x), bias) } : packed;
      },
    };
  }
}

/** [in, out] ↔ [out, in]. */
function transposed({ shape, data }: HostTensor): HostTensor {
  const [rows, columns] = shape as readonly [number, number];
  const out = zeros("float32", [columns, rows]);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out.data[j * rows + i] = data[i * columns + j]!;
  }
  return out;
}
