/** @file Memory that lies in a file: the system keeps in RAM what is used, and writes the rest out when RAM gets short. */

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import koffi from "koffi";
import { type DType, viewBytes } from "../../base/dtype.js";
import { CapacityError, messageOf, UnsupportedError } from "../../base/errors.js";
import { byteSize, type HostTensor, hostTensor, sizeOf } from "../../base/host-tensor.js";
import { loadLibrary } from "./native-library.js";

const READ_AND_WRITE = 3;
const SHARED = 1;
const FAILED = 2n ** 64n - 1n;
/** Zeros written at once. */
const PIECE = 2 ** 20;

/** The functions of the C library that map files. */
interface Mapping {
  map(bytes: number, file: number): bigint;
  unmap(address: bigint, bytes: number): void;
}

function openMapping(): Mapping {
  if (process.platform === "win32")
    throw new UnsupportedError("memory in files needs mmap, which Windows has not; use memory without a folder there");
  const libc = loadLibrary(null);
  const mmap = libc.func(
    "uintptr_t mmap(uintptr_t at, size_t bytes, int protection, int flags, int file, int64_t offset)",
  );
  const munmap = libc.func("int munmap(uintptr_t at, size_t bytes)");
  return {
    map: (bytes, file) => BigInt(mmap(0, bytes, READ_AND_WRITE, SHARED, file, 0) as number | bigint),
    unmap: (address, bytes) => {
      munmap(address, bytes);
    },
  };
}

/**
 * Allocates tensors in files of a folder. They are read and written like others, with the same values; under pressure their
 * pages go to the disk instead of ending the process. Files have no name once they are mapped: nothing is left behind, even
 * by a process that is killed, and a tensor's space is free again when nothing holds it any more.
 */
export class DiskMemory {
  readonly #folder: string;
  readonly #mapping: Mapping;
  readonly #collected: FinalizationRegistry<{ address: bigint; bytes: number }>;

  /** @throws UnsupportedError on Windows. */
  constructor(folder: string) {
    this.#folder = folder;
    const mapping = openMapping();
    this.#mapping = mapping;
    this.#collected = new FinalizationRegistry(({ address, bytes }) => mapping.unmap(address, bytes));
  }

  /** Zeros. @throws CapacityError when the folder cannot hold them. */
  allocate(dtype: DType, shape: readonly number[]): HostTensor {
    const bytes = byteSize(dtype, shape);
    const count = sizeOf(shape);
    if (bytes === 0) return hostTensor(dtype, shape, viewBytes(dtype, new ArrayBuffer(0), 0, 0));
    const address = this.#mapZeros(bytes);
    const buffer = koffi.view(address, bytes);
    this.#collected.register(buffer, { address, bytes });
    return hostTensor(dtype, shape, viewBytes(dtype, buffer, 0, count));
  }

  /** The same values in a file. */
  copy({ dtype, shape, data }: HostTensor): HostTensor {
    const copied = this.allocate(dtype, shape);
    const bytesOf = (values: HostTensor["data"]) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    bytesOf(copied.data).set(bytesOf(data));
    return copied;
  }

  #mapZeros(bytes: number): bigint {
    let own: string | undefined;
    try {
      own = mkdtempSync(join(this.#folder, "tessera-memory-"));
      const file = openSync(join(own, "pages"), "wx+");
      try {
        // written, not only sized: a page for which the disk has no room would end the process when it is used
        const zeros = new Uint8Array(PIECE);
        for (let at = 0; at < bytes; at += PIECE) writeSync(file, zeros, 0, Math.min(PIECE, bytes - at), at);
        const address = this.#mapping.map(bytes, file);
        if (address === FAILED) throw new Error("the system refused to map the file");
        return address;
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw new CapacityError(
        `memory in files: ${this.#folder} cannot hold ${bytes} bytes more: ${messageOf(error)}; give a folder on a disk with room`,
        { cause: error },
      );
    } finally {
      if (own) rmSync(own, { recursive: true, force: true });
    }
  }
}
