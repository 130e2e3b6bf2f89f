/** @file The inner loop of the search over one-bit codes, in WebAssembly's vector instructions. */
import {
  addBytes,
  addShorts,
  advance,
  and,
  type Code,
  constant,
  get,
  highUnsigned,
  instantiate,
  load,
  lowUnsigned,
  placesOf,
  repeat,
  set,
  shiftShortsRight,
  splatBytes,
  store,
  swizzle,
  type WasmFunction,
} from "./assembler.js";

/** Vectors whose codes are looked up at once. */
export const numLanes = 16;

/** Bytes of a code that one round of the loop takes. */
const unrolled = 8;

interface Exports {
  scan(codes: number, sums: number, numGroups: number): void;
}

/** What goes in and comes out lies in memory of its own. */
export class SignKernel {
  /** For each byte of a code 16 values for its lower half, then 16 for its upper half; none is above 127. */
  readonly tables: Uint8Array;
  /** Codes of groups of 16 vectors: the first byte of each, then the second of each and so on. */
  readonly codes: Uint8Array;
  /** For each vector, the sum of what the tables have for its half bytes. */
  readonly sums: Uint16Array;
  /** Fills `sums` for so many groups, at least one. */
  readonly scan: (numGroups: number) => void;

  /**
   * @param bytesPerCode a multiple of 8.
   * @param numVectors most that are scanned at once, a multiple of 16.
   */
  constructor(bytesPerCode: number, numVectors: number) {
    const layout = { tables: 32 * bytesPerCode, codes: numVectors * bytesPerCode, sums: 2 * numVectors };
    const at = placesOf(layout);
    const { memory, scan } = instantiate<Exports>([scanFunction(at.tables, bytesPerCode)], at.end);
    this.tables = new Uint8Array(memory.buffer, at.tables, layout.tables);
    this.codes = new Uint8Array(memory.buffer, at.codes, layout.codes);
    this.sums = new Uint16Array(memory.buffer, at.sums, numVectors);
    this.scan = (numGroups) => scan(at.codes, at.sums, numGroups);
  }
}

/** Source: André, Kermarrec and Le Scouarnec, "Cache locality is not enough", VLDB 9(4), 2015: tables that fit in registers. */
function scanFunction(tables: number, bytesPerCode: number): WasmFunction {
  const [codes, sums, numGroups, table, count, low, high, pair] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [half, zero] = [splatBytes(15), splatBytes(0)];
  const lookUp = (i: number): Code => {
    const code = load(get(codes), numLanes * i);
    const lower = swizzle(load(get(table), 32 * i), and(code, half));
    const upper = swizzle(load(get(table), 32 * i + 16), and(shiftShortsRight(code, 4), half));
    return [
      ...set(pair, addBytes(lower, upper)),
      ...set(low, addShorts(get(low), lowUnsigned(get(pair)))),
      ...set(high, addShorts(get(high), highUnsigned(get(pair)))),
    ];
  };
  const body = repeat(numGroups, [
    ...set(low, zero),
    ...set(high, zero),
    ...set(table, constant(tables)),
    ...set(count, constant(bytesPerCode / unrolled)),
    ...repeat(count, [
      ...Array.from({ length: unrolled }, (_, i) => lookUp(i)).flat(),
      ...advance(codes, numLanes * unrolled),
      ...advance(table, 32 * unrolled),
    ]),
    ...store(get(sums), get(low)),
    ...store(get(sums), get(high), 16),
    ...advance(sums, 32),
  ]);
  return { name: "scan", numParams: 3, numIntegers: 2, numVectors: 3, body };
}
