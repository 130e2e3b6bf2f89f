/** @file Parts of a ZIP archive (APPNOTE 6.3.10) in memory, unpacked under a limit that holds while they are unpacked. */
import { inflateRawSync } from "node:zlib";
import { messageOf } from "../../base/errors.js";

/** An archive that cannot be read. */
export class BadZip extends Error {}
/** A part that unpacks to more than any document does. */
export class UnpacksTooLarge extends Error {}

/** What the parts that are read of an archive may have together: the text of thousands of pages. */
const MOST_BYTES = 64 * 1024 * 1024;
/** And a part, beyond what is harmless, may not grow more than this: text reaches about 1:50, Deflate can do 1:1032. */
const MOST_GROWTH = 200;
const HARMLESS_BYTES = 1024 * 1024;

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;
const LONGEST_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  readonly isEncrypted: boolean;
  readonly method: number;
  readonly packedSize: number;
  readonly at: number;
}

export class Zip {
  readonly #bytes: Buffer;
  readonly #entries: ReadonlyMap<string, Entry>;
  #bytesLeft = MOST_BYTES;

  /** @throws BadZip when there is no archive, or its table of contents is damaged. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#entries = withinBounds(() => readEntries(this.#bytes));
  }

  /**
   * Bytes of a part; undefined when there is none of that name.
   * @throws BadZip when it is damaged, encrypted or packed in another way than Deflate.
   * @throws UnpacksTooLarge beyond 64 MiB of all that is read, or 200 times its packed size and 1 MiB.
   */
  read(name: string): Buffer | undefined {
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : withinBounds(() => this.#unpack(name, entry));
  }

  #unpack(name: string, { isEncrypted, method, packedSize, at }: Entry): Buffer {
    const bytes = this.#bytes;
    if (bytes.readUInt32LE(at) !== LOCAL) throw new BadZip(`${name} is not where the archive says`);
    if (isEncrypted) throw new BadZip(`${name} is encrypted`);
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    const packed = bytes.subarray(start, start + packedSize);
    if (packed.length < packedSize) throw new BadZip(`${name} is cut short`);
    const unpacked = method === STORED ? packed : this.#inflate(name, method, packed);
    if (unpacked.length > this.#bytesLeft)
      throw new UnpacksTooLarge(`${name} and others have more than ${MOST_BYTES} bytes`);
    this.#bytesLeft -= unpacked.length;
    return unpacked;
  }

  #inflate(name: string, method: number, packed: Buffer): Buffer {
    if (method !== DEFLATED) throw new BadZip(`${name} is packed by method ${method}`);
    const grown = Math.max(HARMLESS_BYTES, packed.length * MOST_GROWTH);
    const maxOutputLength = Math.min(grown, this.#bytesLeft + 1);
    try {
      return inflateRawSync(packed, { maxOutputLength });
    } catch (error) {
      if (!isTooLarge(error)) throw new BadZip(`${name}: ${messageOf(error)}`, { cause: error });
      throw new UnpacksTooLarge(`${name} has ${packed.length} bytes and unpacks to more than ${maxOutputLength}`);
    }
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function readEntries(bytes: Buffer): Map<string, Entry> {
  const end = findEnd(bytes);
  const entries = new Map<string, Entry>();
  let at = bytes.readUInt32LE(end + 16);
  for (let i = bytes.readUInt16LE(end + 10); i > 0; i--) {
    if (bytes.readUInt32LE(at) !== CENTRAL) throw new BadZip("its table of contents is damaged");
    const nameEnd = at + 46 + bytes.readUInt16LE(at + 28);
    entries.set(bytes.toString("utf8", at + 46, nameEnd), {
      isEncrypted: (bytes.readUInt16LE(at + 8) & 1) === 1,
      method: bytes.readUInt16LE(at + 10),
      packedSize: bytes.readUInt32LE(at + 20),
      at: bytes.readUInt32LE(at + 42),
    });
    at = nameEnd + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

/** Where the record stands that ends an archive: at its end but for a comment. */
function findEnd(bytes: Buffer): number {
  const least = Math.max(0, bytes.length - END_SIZE - LONGEST_COMMENT);
  for (let at = bytes.length - END_SIZE; at >= least; at--) if (bytes.readUInt32LE(at) === END) return at;
  throw new BadZip("it has no table of contents");
}

/** A place outside of the bytes is the archive's fault. */
function withinBounds<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new BadZip("it points outside of itself", { cause: error });
    throw error;
  }
}
