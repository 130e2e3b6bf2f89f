/** @file What every container of weights offers: names, shapes, and tensors read one at a time. */

import { type TypedArray, viewBytes } from "../base/dtype.js";
import { CheckpointError, DTypeError, ShapeError } from "../base/errors.js";
import { type HostTensor, sizeOf } from "../base/host-tensor.js";
import { isFloat8, type StoredType } from "./float32.js";

/** What is known of a stored tensor before its values are read. */
export interface TensorEntry {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** Size of the values. */
  readonly bytes: number;
}

/** Named tensors in a file or a folder. Only what is asked for is read, so a model never has to fit in memory twice. */
export interface TensorSource extends AsyncDisposable {
  /** Free text stored beside the tensors, such as `format: "pt"`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order in which the values are stored: reading in this order is sequential. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /**
   * Reads one tensor into a buffer of its own.
   * @throws CheckpointError when there is no such tensor or the file cannot be read; DTypeError for 8-bit floats, which are read with
   * `readFloat32`.
   */
  read(name: string): Promise<HostTensor>;
  /**
   * Reads one tensor as float32, converting it piece by piece, so that the stored form is never in memory as a whole. Integers must be exact.
   * @throws CheckpointError when there is no such tensor or the file cannot be read; DTypeError for an integer that float32 cannot hold.
   */
  readFloat32(name: string): Promise<HostTensor>;
  /**
   * Reads one tensor over `target`, which may lie in shared memory.
   * @throws DTypeError, ShapeError when `target` is not an array of the stored type and size.
   */
  readInto(name: string, target: TypedArray): Promise<void>;
  /** Releases the files. Reading afterwards throws. */
  close(): Promise<void>;
}

/** Tensors under the names of a model's parameters, read one at a time. */
export interface ModelTensors extends AsyncDisposable {
  /** In the order in which the values are stored. */
  readonly names: ReadonlySet<string>;
  /** @throws CheckpointError when there is no such tensor or the file cannot be read. */
  readFloat32(name: string): Promise<HostTensor>;
}

/** The value of `name`, or an error that says what there is instead. */
export function lookUp<T>(values: ReadonlyMap<string, T>, name: string, source: string, kind: string): T {
  const value = values.get(name);
  if (value !== undefined) return value;
  const some = [...values.keys()].slice(0, 5).map((key) => JSON.stringify(key));
  const rest = values.size > some.length ? ", …" : "";
  throw new CheckpointError(
    `${source}: there is no ${kind} ${JSON.stringify(name)}; it holds ${values.size}: ${some.join(", ")}${rest}`,
  );
}

/**
 * Checks that `data` holds exactly the values of a tensor of this type and shape.
 * @throws DTypeError, ShapeError
 */
export function checkData(name: string, { dtype, shape }: Omit<TensorEntry, "bytes">, data: TypedArray): void {
  const at = `tensor ${JSON.stringify(name)}`;
  if (isFloat8(dtype)) throw new DTypeError(`${at}: there is no array type for ${dtype}; read it with readFloat32`);
  const expected = viewBytes(dtype, new ArrayBuffer(0), 0, 0).constructor;
  // not a comparison of constructors: a Buffer is a Uint8Array too
  if (!(data instanceof expected)) {
    throw new DTypeError(`${at}: ${dtype} needs a ${expected.name}, got a ${data.constructor.name}`);
  }
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`${at}: shape [${shape}] has ${sizeOf(shape)} elements, the array has ${data.length}`);
  }
}

/** The memory of an array as bytes, without a copy. */
export function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
