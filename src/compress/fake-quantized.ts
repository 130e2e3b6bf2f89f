/**
 * @file A model whose matrices are read as generation would pack them, while they stay float32: quantisation-aware training
 * (LLM-QAT, Liu et al. 2023, arXiv:2305.17888) is training of this model.
 */

import { hostTensor } from "../base/host-tensor.js";
import { fakeQuantize } from "../graph/index.js";
import {
  denseLinear,
  type LanguageModel,
  linearShape,
  type ParameterSpec,
  type RowReading,
  type Scope,
} from "../nn/index.js";
import { BLOCK_SIZE, dequantize, quantizeBlockwise } from "./quantize/blockwise.js";

/** Forms in which generation packs matrices: most of them in so many bits. */
export type PackedFormat = "int8" | "int4";

/** Bits of a matrix by its name. Rows that are only looked up are read once per token: fewer than 8 would save no time. */
export function packedBits({ embedding, head }: LanguageModel, name: string, format: PackedFormat): 4 | 8 {
  const isOnlyEmbedding = name === embedding.name && head.weight.name !== name;
  return format === "int4" && !isOnlyEmbedding ? 4 : 8;
}

/**
 * The model with every linear map's matrix rounded where it is used, the embedding's and the head's among them, to the values
 * that generation with weights in `format` has. Parameters, and gradients by them, are those of `model`. Without adapters:
 * their matrices would be rounded too.
 */
export function fakeQuantized(model: LanguageModel, format: PackedFormat): LanguageModel {
  const { kinds, embedding, head } = model;
  const layerBits = format === "int4" ? 4 : 8;
  const rounded = Object.entries(kinds).map(([name, { parameters, build }]) => {
    return [
      name,
      { parameters, build: (scope, x, context) => build(roundedScope(scope, parameters, layerBits), x, context) },
    ] as const satisfies [string, LanguageModel["kinds"][string]];
  });
  return {
    ...model,
    kinds: Object.fromEntries(rounded),
    embeddingReading: rowsOf(packedBits(model, embedding.name, format)),
    head: { ...head, reading: rowsOf(packedBits(model, head.weight.name, format)) },
  };
}

function roundedScope(scope: Scope, specs: readonly ParameterSpec[], bits: 4 | 8): Scope {
  const matrices = new Map(specs.filter(linearShape).map((spec) => [spec.name, spec]));
  return {
    ...scope,
    linear: (name) => {
      const spec = matrices.get(`${name}.weight`);
      if (!spec) return scope.linear(name);
      const isTransposed = spec.matrix === "transposed";
      const axis = isTransposed ? 0 : 1;
      const weight = fakeQuantize(scope.tensor(spec.name), { bits, blockSize: BLOCK_SIZE, axis });
      return denseLinear(weight, scope.has(`${name}.bias`) ? scope.tensor(`${name}.bias`) : undefined, {
        isTransposed,
      });
    },
  };
}

const rowsOf = (bits: 4 | 8): RowReading => ({
  tensor: (rows) => fakeQuantize(rows, { bits, blockSize: BLOCK_SIZE, axis: 1 }),
  host: ({ shape, data }) => {
    const rounded = dequantize(quantizeBlockwise(hostTensor("float32", shape, data), { bits }));
    (data as Float32Array).set(rounded.data as Float32Array);
  },
});
