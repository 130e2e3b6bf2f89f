/**
 * @file The safetensors format as bytes in memory, without files, so that it also runs in a browser.
 *
 * A file is an 8-byte little-endian header length, a JSON header, then the values of all tensors, little-endian and without
 * gaps (https://github.com/huggingface/safetensors, "Format"). Typed arrays have the machine's byte order, which is
 * little-endian wherever ONNX Runtime has a package.
 */

import { allocate, bytesPerElement, type DType, viewBytes } from "../base/dtype.js";
import { CheckpointError, DTypeError } from "../base/errors.js";
import { byteSize, type HostTensor, sizeOf } from "../base/host-tensor.js";
import { isFloat8, type StoredType, storedElementBytes } from "./float32.js";
import { isPlainObject, type JsonValue, parseJson } from "./json.js";
import { bytesOf, checkData, type TensorEntry } from "./tensor-source.js";

/** The limit of the reference implementation. */
const maxHeaderBytes = 100_000_000;

/** Bytes before the header: its length. */
export const prefixBytes = 8;

/** Names in the file, in the order in which the reference implementation stores them: last first. */
const codes = {
  bool: "BOOL",
  uint8: "U8",
  int8: "I8",
  int16: "I16",
  uint16: "U16",
  float16: "F16",
  bfloat16: "BF16",
  int32: "I32",
  uint32: "U32",
  float32: "F32",
  float64: "F64",
  int64: "I64",
  uint64: "U64",
} as const satisfies Record<DType, string>;

const ranks = Object.keys(codes) as DType[];

/** What is read: the above, and 8-bit floats. */
const readCodes: Readonly<Record<StoredType, string>> = { ...codes, float8_e4m3fn: "F8_E4M3", float8_e5m2: "F8_E5M2" };
const dtypeOf = new Map<JsonValue, StoredType>(
  Object.entries(readCodes).map(([dtype, code]) => [code, dtype as StoredType]),
);

/** A tensor of a safetensors file and where its values start, counted from the start of the file. */
export interface SafetensorsEntry extends TensorEntry {
  readonly offset: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

/**
 * The length of the header, from the first 8 bytes of a file.
 * @throws CheckpointError when it exceeds the file or 100 MB.
 */
export function headerLength(prefix: Uint8Array, fileBytes: number, source: string): number {
  if (fileBytes < prefixBytes) {
    throw new CheckpointError(
      `${source}: a safetensors file has at least ${prefixBytes} bytes, this one has ${fileBytes}`,
    );
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes).getBigUint64(0, true);
  if (length > maxHeaderBytes) {
    throw new CheckpointError(
      `${source}: expected a header of at most ${maxHeaderBytes} bytes, found a length of ${length}; is it a safetensors file?`,
    );
  }
  if (prefixBytes + Number(length) > fileBytes) {
    throw new CheckpointError(
      `${source}: the header has ${length} bytes, but the file ends after ${fileBytes - prefixBytes} of them; it is not complete`,
    );
  }
  return Number(length);
}

/**
 * Parses and checks a header: every tensor has a known type, its bytes follow from its shape, and together they fill the
 * file without overlap or hole.
 * @throws CheckpointError naming the file, the tensor, what was expected and what was found.
 */
export function parseHeader(json: Uint8Array, fileBytes: number, source: string): SafetensorsHeader {
  if (json[0] !== 0x7b) throw new CheckpointError(`${source}: expected a header that starts with {`);
  const header = parseJson(json, `${source}: header`);
  if (!isPlainObject(header)) throw new CheckpointError(`${source}: expected an object as header`);
  const start = prefixBytes + json.length;
  const tensors = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => [name, parseEntry(value, start, `${source}: tensor ${JSON.stringify(name)}`)] as const)
    .sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  checkCoverage(tensors, start, fileBytes, source);
  return { metadata: parseMetadata(header.__metadata__ ?? {}, source), tensors: new Map(tensors) };
}

/**
 * Reads all tensors of a file that is in memory. They are views of `bytes` where the alignment allows (always, if a file
 * of this or the reference implementation was read into a buffer of its own), else copies.
 * @throws CheckpointError when the bytes are not a valid file; DTypeError for 8-bit floats, which only `openSafetensors` reads.
 */
export function parseSafetensors(
  bytes: Uint8Array,
  source = "safetensors bytes",
): { metadata: Readonly<Record<string, string>>; tensors: Map<string, HostTensor> } {
  const length = headerLength(bytes, bytes.length, source);
  const { metadata, tensors } = parseHeader(bytes.subarray(prefixBytes, prefixBytes + length), bytes.length, source);
  return { metadata, tensors: new Map([...tensors].map(([name, entry]) => [name, tensorIn(bytes, name, entry)])) };
}

/**
 * The pieces of a file, in order and without a copy of any tensor. Equal tensors and metadata give equal bytes in whatever order
 * they come: tensors are sorted by type, then name, as in the reference implementation, which keeps every one aligned.
 * The `data` of a tensor is read only when its piece is taken, so it may be a getter that makes the values then.
 * @throws CheckpointError for a name that comes twice or cannot be stored; DTypeError or ShapeError for data that does not
 * fit its tensor.
 */
export function* encodeSafetensors(
  entries: Iterable<readonly [string, HostTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const sorted = [...entries].sort(
    ([a, { dtype: left }], [b, { dtype: right }]) => ranks.indexOf(right) - ranks.indexOf(left) || (a < b ? -1 : 1),
  );
  yield encodeHeader(sorted, metadata);
  for (const [name, { dtype, shape, data }] of sorted) {
    checkData(name, { dtype, shape }, data);
    yield bytesOf(data);
  }
}

function encodeHeader(
  entries: readonly (readonly [string, HostTensor])[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header = new Map<string, object>();
  if (Object.keys(metadata).length > 0) {
    header.set("__metadata__", Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))));
  }
  let offset = 0;
  for (const [name, { dtype, shape }] of entries) {
    checkName(name, header);
    const end = offset + byteSize(dtype, shape);
    header.set(name, { dtype: codes[dtype], shape, data_offsets: [offset, end] });
    offset = end;
  }
  // not an object: its integer-like keys would come first
  const json = `{${[...header].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  // padded with spaces so that the values start aligned
  const out = new Uint8Array(prefixBytes + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(out.length - prefixBytes), true);
  out.set(text, prefixBytes);
  return out;
}

function checkName(name: string, taken: ReadonlyMap<string, object>): void {
  const shown = JSON.stringify(name);
  if (taken.has(name)) throw new CheckpointError(`safetensors: two tensors are called ${shown}`);
  if (name === "__metadata__") throw new CheckpointError(`safetensors: a tensor must not be called ${shown}`);
  if (/\p{Surrogate}/u.test(name)) throw new CheckpointError(`safetensors: the name ${shown} is not valid Unicode`);
}

function tensorIn(
  bytes: Uint8Array,
  name: string,
  { dtype, shape, offset, bytes: size }: SafetensorsEntry,
): HostTensor {
  if (isFloat8(dtype)) {
    throw new DTypeError(
      `tensor ${JSON.stringify(name)}: there is no array type for ${dtype}; read the file with openSafetensors`,
    );
  }
  const start = bytes.byteOffset + offset;
  if (start % bytesPerElement(dtype) === 0) {
    return { dtype, shape, data: viewBytes(dtype, bytes.buffer, start, sizeOf(shape)) };
  }
  const data = allocate(dtype, sizeOf(shape));
  bytesOf(data).set(bytes.subarray(offset, offset + size));
  return { dtype, shape, data };
}

function parseEntry(value: JsonValue, start: number, at: string): SafetensorsEntry {
  if (!isPlainObject(value)) throw new CheckpointError(`${at}: expected an object, found ${shorten(value)}`);
  const { dtype: code, shape, data_offsets: offsets, ...others } = value;
  const dtype = code === undefined ? undefined : dtypeOf.get(code);
  if (dtype === undefined) {
    throw new CheckpointError(
      `${at}: expected a dtype of ${Object.values(readCodes).join(", ")}, found ${shorten(code)}`,
    );
  }
  if (!isSizes(shape)) throw new CheckpointError(`${at}: expected a shape of whole numbers, found ${shorten(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw new CheckpointError(`${at}: expected data_offsets [begin, end], found ${shorten(offsets)}`);
  }
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw new CheckpointError(`${at}: unknown key ${shorten(unknown)}`);
  const [begin, end] = offsets as readonly [number, number];
  const bytes = checkedByteSize(dtype, shape);
  if (end - begin !== bytes) {
    throw new CheckpointError(
      `${at}: ${readCodes[dtype]} of shape ${shorten(shape)} takes ${bytes} bytes, but data_offsets [${begin},${end}] span ${end - begin}`,
    );
  }
  return { dtype, shape, bytes, offset: start + begin };
}

/** Like `byteSize`, but NaN once a product is too large to be exact, even if a later size is zero. */
function checkedByteSize(dtype: StoredType, shape: readonly number[]): number {
  return shape.reduce(
    (bytes, dim) => (Number.isSafeInteger(bytes * dim) ? bytes * dim : Number.NaN),
    storedElementBytes(dtype),
  );
}

function isSizes(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Checks that tensors in the order of the file touch each other, the header and the end of the file. */
function checkCoverage(
  tensors: readonly (readonly [string, SafetensorsEntry])[],
  start: number,
  fileBytes: number,
  source: string,
): void {
  let end = start;
  for (const [name, { offset, bytes }] of tensors) {
    if (offset !== end) {
      const problem = offset < end ? "overlaps the tensor before it" : "leaves a hole before it";
      throw new CheckpointError(
        `${source}: tensor ${JSON.stringify(name)} ${problem}: expected it to begin at ${end - start}, found ${offset - start}`,
      );
    }
    end += bytes;
  }
  if (end !== fileBytes) {
    const advice = end > fileBytes ? "the file is not complete" : "there are bytes that belong to no tensor";
    throw new CheckpointError(`${source}: expected ${end} bytes by its header, found ${fileBytes}; ${advice}`);
  }
}

function parseMetadata(value: JsonValue, source: string): Readonly<Record<string, string>> {
  const isText = (entry: [string, JsonValue]): entry is [string, string] => typeof entry[1] === "string";
  const entries = isPlainObject(value) ? Object.entries(value) : undefined;
  if (!entries?.every(isText)) {
    throw new CheckpointError(`${source}: expected __metadata__ to map text to text, found ${shorten(value)}`);
  }
  return Object.fromEntries(entries);
}

/** A value for an error message, of bounded length and depth. */
function shorten(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  const isShort = Array.isArray(value) && value.length <= 8 && value.every((item) => typeof item === "number");
  if (typeof value === "object" && value !== null && !isShort)
    return Array.isArray(value) ? "another array" : "an object";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
