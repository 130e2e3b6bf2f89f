/** @file ONNX models as data, and their encoding (onnx.proto, IR version 10, opset 21). */

import { TesseraError } from "../base/errors.js";
import { byteSize, type HostTensor } from "../base/host-tensor.js";
import { Message } from "../base/protobuf.js";
import type { Dim } from "../graph/dim.js";
import { MICROSOFT, type OnnxAttribute } from "../graph/emitter.js";
import { onnxDType } from "../graph/onnx-dtype.js";
import type { Aval } from "../graph/tensor.js";

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly aval: Aval;
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: ReadonlyMap<string, HostTensor>;
}

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

const IR_VERSION = 10;
const OPSET_VERSION = 21;
/** A protobuf message must stay below this; larger weights have to be fed. */
const MAX_BYTES = 2 ** 31 - 1;

function attribute(name: string, value: OnnxAttribute): Message {
  const message = new Message().string(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, 2);
  if (typeof value === "string") return message.string(4, value).int(20, 3);
  if ("float" in value) return message.float(2, value.float).int(20, 1);
  for (const item of value) message.int(8, item);
  return message.int(20, 7);
}

function node({ opType, domain, inputs, outputs, attributes }: OnnxNode): Message {
  const message = new Message();
  for (const name of inputs) message.string(1, name);
  for (const name of outputs) message.string(2, name);
  message.string(3, outputs[0] ?? opType).string(4, opType);
  for (const [name, value] of Object.entries(attributes)) message.message(5, attribute(name, value));
  return message.string(7, domain);
}

function dimension(dim: Dim): Message {
  return typeof dim === "number" ? new Message().int(1, dim) : new Message().string(2, dim);
}

function valueInfo({ name, aval }: OnnxValue): Message {
  const shape = new Message();
  for (const dim of aval.shape) shape.message(1, dimension(dim));
  const tensorType = new Message().int(1, onnxDType[aval.dtype]).message(2, shape);
  return new Message().string(1, name).message(2, new Message().message(1, tensorType));
}

/** Initializers that a file beside the model holds. */
export interface ExternalData {
  /** Name of the file, relative to the model. */
  readonly location: string;
  /** Where each starts, in bytes. */
  readonly offsets: ReadonlyMap<string, number>;
}

function tensor(name: string, value: HostTensor, external: ExternalData | undefined): Message {
  const { dtype, shape } = value;
  const message = new Message();
  for (const size of shape) message.int(1, size);
  message.int(2, onnxDType[dtype]).string(8, name);
  const offset = external?.offsets.get(name);
  if (!external || offset === undefined) {
    const { data } = value;
    return message.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const place = { location: external.location, offset: `${offset}`, length: `${byteSize(dtype, shape)}` };
  for (const [key, value] of Object.entries(place)) message.message(13, new Message().string(1, key).string(2, value));
  return message.int(14, EXTERNAL);
}

/**
 * The bytes of a ModelProto; initializers that `external` has are only pointed to.
 * @throws TesseraError when it would exceed protobuf's 2 GB.
 */
export function encodeModel(model: OnnxModel, external?: ExternalData): Uint8Array<ArrayBuffer> {
  const inside = [...model.initializers].filter(([name]) => !external?.offsets.has(name));
  const weights = inside.reduce((sum, [, { dtype, shape }]) => sum + byteSize(dtype, shape), 0);
  if (weights > MAX_BYTES) {
    throw new TesseraError(
      `ONNX model "${model.name}": ${weights} bytes of constants exceed protobuf's limit of 2 GB; feed the weights instead`,
    );
  }
  const graph = new Message();
  for (const n of model.nodes) graph.message(1, node(n));
  graph.string(2, model.name);
  for (const [name, value] of model.initializers) graph.message(5, tensor(name, value, external));
  for (const value of model.inputs) graph.message(11, valueInfo(value));
  for (const value of model.outputs) graph.message(12, valueInfo(value));
  return new Message()
    .int(1, IR_VERSION)
    .string(2, "tessera")
    .message(7, graph)
    .message(8, new Message().string(1, "").int(2, OPSET_VERSION))
    .message(8, new Message().string(1, MICROSOFT).int(2, 1))
    .finish();
}
