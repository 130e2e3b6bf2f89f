/** @file The tokens of a vocabulary as a tree over their bytes. */

/**
 * Nodes are numbered depth first, each before those below it. A tree is made once per tokenizer and serves all its
 * constraints.
 */
export class TokenTrie {
  /** Number of ids, those without bytes included. */
  readonly vocabSize: number;
  readonly bytesById: readonly (Uint8Array | undefined)[];
  /** Per node: the byte that leads to it. */
  readonly bytes: Uint8Array;
  /** Per node: number of bytes above it. */
  readonly depths: Int32Array;
  /** Per node: the first node that is not below it. */
  readonly ends: Int32Array;
  /** Per node and one more: where its tokens begin in `tokens`. */
  readonly tokenStarts: Int32Array;
  readonly tokens: Int32Array;
  readonly maxDepth: number;
  /** 256 entries: 1 for each byte that is a token. */
  readonly alphabet: Uint8Array;

  /** @param bytesById what each id adds to a text; ids without bytes (special tokens) are never allowed. */
  constructor(bytesById: readonly (Uint8Array | undefined)[]) {
    this.vocabSize = bytesById.length;
    this.bytesById = bytesById;
    const written = [...bytesById.entries()].filter((entry): entry is [number, Uint8Array] => !!entry[1]?.length);
    written.sort(([, a], [, b]) => compareBytes(a, b));
    this.alphabet = new Uint8Array(256);
    for (const [, bytes] of written) if (bytes.length === 1) this.alphabet[bytes[0]!] = 1;
    const numBytes = written.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    this.bytes = new Uint8Array(numBytes);
    this.depths = new Int32Array(numBytes);
    this.tokenStarts = new Int32Array(numBytes + 1);
    this.tokens = Int32Array.from(written, ([id]) => id);
    let numNodes = 0;
    let previous = new Uint8Array();
    for (const [index, [, bytes]] of written.entries()) {
      for (let depth = sharedLength(previous, bytes); depth < bytes.length; depth++) {
        this.bytes[numNodes] = bytes[depth]!;
        this.depths[numNodes] = depth;
        this.tokenStarts[numNodes++] = index;
      }
      previous = Uint8Array.from(bytes);
    }
    this.tokenStarts[numNodes] = written.length;
    this.bytes = this.bytes.slice(0, numNodes);
    this.depths = this.depths.slice(0, numNodes);
    this.tokenStarts = this.tokenStarts.slice(0, numNodes + 1);
    this.ends = endsOf(this.depths);
    this.maxDepth = written.reduce((most, [, bytes]) => Math.max(most, bytes.length), 0);
  }
}

/** The next node that is not deeper, from the back. */
function endsOf(depths: Int32Array): Int32Array {
  const ends = new Int32Array(depths.length);
  for (let node = depths.length - 1; node >= 0; node--) {
    let end = node + 1;
    while (end < depths.length && depths[end]! > depths[node]!) end = ends[end]!;
    ends[node] = end;
  }
  return ends;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = sharedLength(a, b);
  return (a[shared] ?? -1) - (b[shared] ?? -1);
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return i;
  return shorter;
}
