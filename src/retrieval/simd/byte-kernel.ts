/** @file Inner products of vectors of bytes with a query, in WebAssembly's vector instructions. */
import {
  addIntegers,
  advance,
  type Code,
  constant,
  dotShorts,
  get,
  highSigned,
  instantiate,
  lane,
  load,
  lowSigned,
  placesOf,
  plus,
  repeat,
  set,
  splatBytes,
  storeInteger,
  type WasmFunction,
} from "./assembler.js";

interface Exports {
  multiply(vectors: number, products: number, numVectors: number): void;
}

/** What goes in and comes out lies in memory of its own. */
export class ByteKernel {
  /** Its products with a vector add up to less than 2^31. */
  readonly query: Int16Array;
  /** [numVectors, dimension]. */
  readonly vectors: Int8Array;
  readonly products: Int32Array;
  /** Fills `products` for so many vectors, at least one. */
  readonly multiply: (numVectors: number) => void;

  /** @param numVectors most that are multiplied at once. */
  constructor(dimension: number, numVectors: number) {
    const steps = Math.ceil(dimension / 16);
    // the last vector is read to the end of a step
    const layout = { query: 32 * steps, vectors: numVectors * dimension + 16, products: 4 * numVectors };
    const at = placesOf(layout);
    const { memory, multiply } = instantiate<Exports>([multiplyFunction(at.query, dimension, steps)], at.end);
    this.query = new Int16Array(memory.buffer, at.query, dimension);
    this.vectors = new Int8Array(memory.buffer, at.vectors, numVectors * dimension);
    this.products = new Int32Array(memory.buffer, at.products, numVectors);
    this.multiply = (count) => multiply(at.vectors, at.products, count);
  }
}

function multiplyFunction(query: number, dimension: number, steps: number): WasmFunction {
  const [vectors, products, numVectors, at, count, sum] = [0, 1, 2, 3, 4, 5];
  const bytes = load(get(vectors));
  const add = (shorts: Code, offset: number): Code =>
    set(sum, addIntegers(get(sum), dotShorts(shorts, load(get(at), offset))));
  const body = repeat(numVectors, [
    ...set(sum, splatBytes(0)),
    ...set(at, constant(query)),
    ...set(count, constant(steps)),
    ...repeat(count, [
      ...add(lowSigned(bytes), 0),
      ...add(highSigned(bytes), 16),
      ...advance(vectors, 16),
      ...advance(at, 32),
    ]),
    // what was read of the next vector met zeros behind the query
    ...advance(vectors, dimension - 16 * steps),
    ...storeInteger(
      get(products),
      [0, 1, 2, 3].map((i) => lane(get(sum), i)).reduce((a, b) => plus(a, b)),
    ),
    ...advance(products, 4),
  ]);
  return { name: "multiply", numParams: 3, numIntegers: 2, numVectors: 1, body };
}
