/** @file Reading of the weights in an ONNX model. */

import { bytesPerElement, type DType } from "../base/dtype.js";
import { CheckpointError } from "../base/errors.js";
import { type HostTensor, zeros } from "../base/host-tensor.js";
import { bytesOf, fieldsOf, numberOf } from "../base/protobuf.js";
import { onnxDType } from "../graph/onnx-dtype.js";

const FILE = "ONNX model";

/** Bytes of a file beside the model. */
export type ReadExternal = (location: string, offset: number, length: number) => Uint8Array;

/**
 * Initializers of a ModelProto by name.
 * @throws CheckpointError when the bytes are no such message, or hold a type that is not known here.
 */
export function readInitializers(model: Uint8Array, readExternal: ReadExternal): Map<string, HostTensor> {
  const graph = only(allOf(model, 7), "graph");
  return new Map(allOf(graph, 5).map((tensor) => readTensor(tensor, readExternal)));
}

/** Strings and messages of a field. */
function allOf(message: Uint8Array, number: number): Uint8Array[] {
  return [...fieldsOf(message, FILE)]
    .filter((field) => field.number === number)
    .map(({ value }) => bytesOf(value, FILE));
}

function numbersOf(message: Uint8Array, number: number): number[] {
  return [...fieldsOf(message, FILE)].filter((f) => f.number === number).map(({ value }) => numberOf(value, FILE));
}

function only(values: readonly Uint8Array[], what: string): Uint8Array {
  const [value] = values;
  if (!value) throw new CheckpointError(`${FILE}: expected a ${what}, found none; this is no ONNX model`);
  return value;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13. */
function readTensor(message: Uint8Array, readExternal: ReadExternal): readonly [string, HostTensor] {
  const name = text(only(allOf(message, 8), "tensor's name"));
  const [code] = numbersOf(message, 2);
  const type = (Object.keys(onnxDType) as DType[]).find((dtype) => onnxDType[dtype] === code);
  if (type === undefined) throw new CheckpointError(`${FILE}: tensor ${name} has data type ${code}, which is not read`);
  const tensor = zeros(type, numbersOf(message, 1));
  const part = (entry: Uint8Array, field: number): string => text(only(allOf(entry, field), "key and value"));
  const place = new Map(allOf(message, 13).map((entry) => [part(entry, 1), part(entry, 2)] as const));
  const location = place.get("location");
  const bytes =
    location === undefined
      ? only(allOf(message, 9), `value of ${name}`)
      : readExternal(location, Number(place.get("offset") ?? 0), Number(place.get("length")));
  if (bytes.byteLength !== tensor.data.length * bytesPerElement(type)) {
    throw new CheckpointError(`${FILE}: ${name} is ${type}[${tensor.shape}], but has ${bytes.byteLength} bytes`);
  }
  new Uint8Array(tensor.data.buffer).set(bytes);
  return [name, tensor];
}
