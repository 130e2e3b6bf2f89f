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
/** Milliseconds between evictions while the host reads or writes: a disk fills some tens of megabytes in them. */
const EVICT_MS = 20;
/** Zeros written at once. */
const PIECE = 2 ** 20;

/** Pages leave RAM; those of a shared mapping that were written stay in the file. */
const DONT_NEED = 4;
/** Bytes of a page, or a multiple of them on every system. */
const PAGE = 65_536;

/** The functions of the C library that map files. */
interface Mapping {
  map(bytes: number, file: number): bigint;
  unmap(address: bigint, bytes: number): void;
  evict(address: bigint, bytes: number): void;
}

function openMapping(): Mapping {
  if (process.platform === "win32")
    throw new UnsupportedError("memory in files needs mmap, which Windows has not; use memory without a folder there");
  const libc = loadLibrary(null);
  const mmap = libc.func(
    "uintptr_t mmap(uintptr_t at, size_t bytes, int protection, int flags, int file, int64_t offset)",
  );
  const munmap = libc.func("int munmap(uintptr_t at, size_t bytes)");
  const madvise = libc.func("int madvise(uintptr_t at, size_t bytes, int advice)");
  return {
    map: (bytes, file) => BigInt(mmap(0, bytes, READ_AND_WRITE, SHARED, file, 0) as number | bigint),
    unmap: (address, bytes) => {
      munmap(address, bytes);
    },
    evict: (address, bytes) => {
      madvise(address, bytes, DONT_NEED);
    },
  };
}

interface Stretch {
  readonly address: bigint;
  readonly bytes: number;
}

/**
 * Allocates tensors in files of a folder. They are read and written like others, with the same values; under pressure their
 * pages go to the disk instead of ending the process. Files have no name once they are mapped: nothing is left behind, even
 * by a process that is killed, and a tensor's space is free again when nothing holds it any more.
 */
export class DiskMemory {
  readonly #folder: string;
  readonly #mapping: Mapping;
  readonly #collected: FinalizationRegistry<Stretch>;
  readonly #byBuffer = new WeakMap<ArrayBufferLike, Stretch>();
  /** Bytes by address of all that is mapped. */
  readonly #mapped = new Map<bigint, number>();

  /** @throws UnsupportedError on Windows. */
  constructor(folder: string) {
    this.#folder = folder;
    const mapping = openMapping();
    this.#mapping = mapping;
    this.#collected = new FinalizationRegistry(({ address, bytes }) => {
      this.#mapped.delete(address);
      mapping.unmap(address, bytes);
    });
  }

  /** Zeros. @throws CapacityError when the folder cannot hold them. */
  allocate(dtype: DType, shape: readonly number[]): HostTensor {
    const bytes = byteSize(dtype, shape);
    const count = sizeOf(shape);
    if (bytes === 0) return hostTensor(dtype, shape, viewBytes(dtype, new ArrayBuffer(0), 0, 0));
    const address = this.#mapZeros(bytes);
    const buffer = koffi.view(address, bytes);
    this.#collected.register(buffer, { address, bytes });
    this.#byBuffer.set(buffer, { address, bytes });
    this.#mapped.set(address, bytes);
    return hostTensor(dtype, shape, viewBytes(dtype, buffer, 0, count));
  }

  /** The same values in a file. */
  copy({ dtype, shape, data }: HostTensor): HostTensor {
    const copied = this.allocate(dtype, shape);
    const bytesOf = (values: HostTensor["data"]) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    bytesOf(copied.data).set(bytesOf(data));
    return copied;
  }

  /** Lets those of the tensors that lie in files leave RAM. Their values stay, and are read again when they are used. */
  evict(tensors: Iterable<HostTensor>): void {
    for (const { data } of tensors) {
      const stretch = this.#byBuffer.get(data.buffer);
      if (!stretch) continue;
      const start = Math.floor(data.byteOffset / PAGE) * PAGE;
      const end = Math.min(stretch.bytes, Math.ceil((data.byteOffset + data.byteLength) / PAGE) * PAGE);
      this.#mapping.evict(stretch.address + BigInt(start), end - start);
    }
  }

  /** Does work that reads or writes tensors outside of programs; meanwhile all leave RAM again and again. */
  async evicting<T>(work: () => Promise<T>): Promise<T> {
    const evictAll = (): void => {
      for (const [address, bytes] of this.#mapped) this.#mapping.evict(address, bytes);
    };
    const timer = setInterval(evictAll, EVICT_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      evictAll();
    }
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
