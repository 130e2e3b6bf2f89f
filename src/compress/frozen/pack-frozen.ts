/** @file Which weights of a model stay frozen, and their packed forms among its parameters. */

import type { DType } from "../../base/dtype.js";
import { byteSize, type HostTensor } from "../../base/host-tensor.js";
import { evaluateShape } from "../../graph/index.js";
import { type LanguageModel, layerSpecs, linearShape, type ParameterSpec, type Parameters } from "../../nn/index.js";
import type { FrozenFormat, Parts } from "./format.js";
import { type FrozenFormatName, frozenFormats } from "./index.js";

/** Forms of frozen weights by the parameter's full name. What is not in it is float32. */
export type FrozenWeights = ReadonlyMap<string, FrozenFormatName>;

/**
 * All matrices of linear maps in a model's layers that are not trained. Embedding and head stay as they are. `model` is
 * the base, without adapters: an adapter's own matrices are few, and frozen ones (LoRA-FA's A) need their precision.
 */
export function frozenWeights(
  model: LanguageModel,
  isTrainable: (name: string) => boolean,
  format: FrozenFormatName,
): FrozenWeights {
  const matrices = layerSpecs(model).filter((spec) => linearShape(spec) && !isTrainable(spec.name));
  return new Map(matrices.map(({ name }) => [name, format]));
}

/**
 * Parameters with the frozen ones in packed form, as `TrainPlan` and `LossPlan` read them: under the weight's own name and,
 * where a form has several parts, under names that begin with it. One is taken after the other, so that they may be made
 * while they are packed.
 * @throws ConfigError when a weight's values cannot be kept in its form.
 */
export function packFrozen(
  parameters: Iterable<readonly [string, HostTensor]>,
  frozen: FrozenWeights,
): Map<string, HostTensor> {
  const packed = new Map<string, HostTensor>();
  for (const [name, tensor] of parameters) add(packed, name, tensor, frozen, asItIs);
  return packed;
}

/**
 * The same for parameters that are read one at a time (`openModel`): no two of them are unpacked at once. `keep` gives each
 * part as it is to be kept (`Runtime.keep`); default as it is.
 */
export async function packFrozenAsRead(
  parameters: AsyncIterable<readonly [string, HostTensor]>,
  frozen: FrozenWeights,
  keep = asItIs,
): Promise<Map<string, HostTensor>> {
  const packed = new Map<string, HostTensor>();
  for await (const [name, tensor] of parameters) add(packed, name, tensor, frozen, keep);
  return packed;
}

const asItIs = (part: HostTensor): HostTensor => part;

function add(
  packed: Map<string, HostTensor>,
  name: string,
  tensor: HostTensor,
  frozen: FrozenWeights,
  keep: (part: HostTensor) => HostTensor,
): void {
  const format = frozen.get(name);
  const parts = format ? frozenFormats[format].pack(tensor) : { "": tensor };
  for (const [suffix, part] of Object.entries(parts)) packed.set(name + suffix, keep(part));
}

/** The form that a stored tensor is the first part of; undefined where it is the float32 weight itself. */
export function storedFormat(dtype: DType): FrozenFormat<FrozenFormatName> | undefined {
  const formats: readonly FrozenFormat<FrozenFormatName>[] = Object.values(frozenFormats);
  return formats.find((format) => format.parts([1])[""]!.dtype === dtype);
}

/** The packed parts of a parameter by what is added to its name; undefined where it is not packed. */
export function storedParts(parameters: Parameters, name: string): Parts<HostTensor> | undefined {
  const format = storedFormat(parameters.get(name)?.dtype ?? "float32");
  return format && mapParts(format.parts([1]), (_, suffix) => parameters.get(name + suffix)!);
}

/** A model's parameters in float32: what is merged, written or run elsewhere. Those that are not packed are the same tensors. */
export function unpackFrozen(specs: readonly ParameterSpec[], parameters: Parameters): Map<string, HostTensor> {
  return new Map(
    specs.map(({ name, shape }) => {
      const parts = storedParts(parameters, name);
      const stored = parameters.get(name)!;
      return [name, parts ? storedFormat(stored.dtype)!.unpack(parts, shape) : stored];
    }),
  );
}

/** Bytes that a parameter of this shape takes in a form, or as float32. */
export function storedBytes(shape: readonly number[], format: FrozenFormatName | undefined): number {
  if (!format) return byteSize("float32", shape);
  const parts = Object.values(frozenFormats[format].parts(shape));
  return parts.reduce((sum, part) => sum + byteSize(part.dtype, evaluateShape(part.shape, {})), 0);
}

export function mapParts<T, U>(parts: Parts<T>, change: (part: T, suffix: string) => U): Parts<U> {
  return Object.fromEntries(Object.entries(parts).map(([suffix, part]) => [suffix, change(part, suffix)]));
}
