/**
 * @file Standard normal numbers in blocks, fast and the same for the same seed: the ziggurat of Marsaglia and Tsang 2000 with
 * 256 layers, in Doornik's form (2005), where layer and value come from different bits.
 */

import type { Rng } from "../../base/rng.js";

const LAYERS = 256;
/** Where the tail begins, and the area of every layer, for 256 layers. */
const TAIL = 3.6541528853610088;
const AREA = 4.92867323397465e-3;

const density = (x: number): number => Math.exp(-0.5 * x * x);

/** Right edges of the layers, from the lowest (whose rectangle covers the tail's area too) to 0. */
function edges(): Float64Array {
  const x = new Float64Array(LAYERS + 1);
  x[0] = AREA / density(TAIL);
  x[1] = TAIL;
  for (let i = 2; i < LAYERS; i++) x[i] = Math.sqrt(-2 * Math.log(AREA / x[i - 1]! + density(x[i - 1]!)));
  return x;
}

/** Draws blocks of normal numbers from seeds. */
export class Gaussian {
  readonly #edges = edges();
  /** Share of each layer's rectangle that lies below the curve over its whole height. */
  readonly #inner = Float64Array.from({ length: LAYERS }, (_, i) => this.#edges[i + 1]! / this.#edges[i]!);

  /** Fills the first `count` places with the next numbers of `rng`, rounded to float32. */
  fill(out: Float32Array, count: number, rng: Rng): void {
    for (let i = 0; i < count; i++) {
      const bits = rng.uint32();
      const layer = bits & (LAYERS - 1);
      // 24 bits, symmetric about 0 and never 0
      const u = ((bits >>> 8) + 0.5) / 2 ** 23 - 1;
      out[i] = Math.abs(u) < this.#inner[layer]! ? u * this.#edges[layer]! : this.#outer(u, layer, rng);
    }
  }

  /** What one draw in about 70 comes to: the tail, or a layer's part that the curve cuts. */
  #outer(u: number, layer: number, rng: Rng): number {
    if (layer === 0) return u < 0 ? -tail(rng) : tail(rng);
    const x = u * this.#edges[layer]!;
    const [low, high] = [density(this.#edges[layer]!), density(this.#edges[layer + 1]!)];
    if (low + rng.uniform() * (high - low) < density(x)) return x;
    const again = new Float32Array(1);
    this.fill(again, 1, rng);
    return again[0]!;
  }
}

/** Beyond `TAIL` (Marsaglia 1964). */
function tail(rng: Rng): number {
  for (;;) {
    const x = -Math.log(1 - rng.uniform()) / TAIL;
    const y = -Math.log(1 - rng.uniform());
    if (2 * y > x * x) return TAIL + x;
  }
}
