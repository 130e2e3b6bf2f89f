/** @file ONNX models as files, with large weights beside them. */

import { basename, dirname, join } from "node:path";
import { byteSize, type HostTensor } from "../base/host-tensor.js";
import { replaceFiles } from "../checkpoint/atomic.js";
import type { Parameters } from "../nn/index.js";
import { encodeModel, type OnnxModel, type OnnxNode } from "../onnx/index.js";

/** Weights beyond this many bytes do not go into the model, as protobuf ends at 2 GB. */
export const MOST_INSIDE = 1.9 * 2 ** 30;

/** External weights start at multiples of this, so that they can be mapped. */
const ALIGNMENT = 4096;

/** Writes a model that has its initializers; `weights`, which are among them, go to `<path>.data` if they are too large. */
export async function writeOnnxFile(
  path: string,
  file: OnnxModel,
  weights: Parameters,
  mostInside = MOST_INSIDE,
): Promise<void> {
  const total = [...weights.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0) * 4;
  if (total <= mostInside) await replaceFiles([[path, [encodeModel(file)]]]);
  else await writeWithData(path, file, weights);
}

/** The model with its weights in a file beside it. */
async function writeWithData(path: string, file: OnnxModel, weights: Parameters): Promise<void> {
  const offsets = new Map<string, number>();
  let end = 0;
  for (const name of file.initializers.keys()) {
    const tensor = weights.get(name.replace(HALF, ""));
    if (!tensor) continue;
    offsets.set(name, end);
    end = aligned(end + byteSize(tensor.dtype, tensor.shape));
  }
  const location = `${basename(path)}.data`;
  function* pieces(): Generator<Uint8Array> {
    for (const name of offsets.keys()) {
      const { data } = file.initializers.get(name)!;
      yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      yield new Uint8Array(aligned(data.byteLength) - data.byteLength);
    }
  }
  await replaceFiles([
    [join(dirname(path), location), pieces()],
    [path, [encodeModel(file, { location, offsets })]],
  ]);
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Suffix of weights that are stored in half precision. */
export const HALF = ".float16";

/** Inputs that have a value become initializers; halves are cast when the model is loaded. */
export function withInitializers(model: OnnxModel, values: ReadonlyMap<string, HostTensor>): OnnxModel {
  const initializers = new Map(model.initializers);
  const casts: OnnxNode[] = [];
  for (const { name } of model.inputs) {
    const value = values.get(name);
    if (!value) continue;
    if (value.dtype === "float32") {
      initializers.set(name, value);
      continue;
    }
    initializers.set(name + HALF, value);
    casts.push({ opType: "Cast", domain: "", inputs: [name + HALF], outputs: [name], attributes: { to: 1 } });
  }
  return {
    ...model,
    inputs: model.inputs.filter(({ name }) => !values.has(name)),
    nodes: [...casts, ...model.nodes],
    initializers,
  };
}
