/** @file What a storage type of GGUF tensors is: blocks of values, and how to unpack and pack them. */

/** A storage type of ggml. Values lie in blocks; the last axis of a tensor is a whole number of blocks. */
export interface GgmlType {
  readonly name: string;
  /** Its number in a file (`enum ggml_type`). */
  readonly code: number;
  /** Values of one block. */
  readonly blockSize: number;
  /** Bytes of one block. */
  readonly blockBytes: number;
  /** Unpacks whole blocks: `bytes` → `target`, which holds exactly their values. */
  dequantize(bytes: Uint8Array, target: Float32Array): void;
  /** Packs whole blocks: `values` → `target`, bit for bit as ggml's reference does. Absent where only reading is supported. */
  readonly quantize?: (values: Float32Array, target: Uint8Array) => void;
}

/** A view for the little-endian numbers inside blocks, wherever they lie. */
export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
