/** @file A matrix of weights in numbers that fit on a screen: means over cells, a histogram, a few figures. */

import { setImmediate } from "node:timers/promises";
import { asFloat32, type HostTensor } from "../../base/host-tensor.js";
import type { WeightPicture } from "../../server/studio/wire/index.js";

/** Cells on a side, at most. */
const MOST_CELLS = 128;
const BARS = 48;

/** Weights that are looked at before other requests have their turn. */
const BREATH = 2 ** 22;

/** @param tensor of floats. One of more than two dims is drawn with all but the last as rows, one of a single dim as one row. */
export async function weightPicture(name: string, tensor: HostTensor): Promise<WeightPicture> {
  const { shape } = tensor;
  const values = asFloat32(tensor);
  const width = shape.at(-1) ?? 1;
  const height = values.length / width;
  const [rows, columns] = [Math.min(height, MOST_CELLS), Math.min(width, MOST_CELLS)];
  const sums = new Float64Array(rows * columns);
  let [sum, squares, largest] = [0, 0, 0];
  for (let row = 0, since = 0; row < height; row++, since += width) {
    if (since > BREATH) {
      await setImmediate();
      since = 0;
    }
    const line = Math.floor((row * rows) / height) * columns;
    for (let column = 0; column < width; column++) {
      const value = values[row * width + column]!;
      const size = Math.abs(value);
      sums[line + Math.floor((column * columns) / width)]! += size;
      sum += value;
      squares += value * value;
      if (size > largest) largest = size;
    }
  }
  const [ofRows, ofColumns] = [sizesOf(height, rows), sizesOf(width, columns)];
  const cells = Array.from(sums, (total, i) =>
    rounded(total / (ofRows[Math.floor(i / columns)]! * ofColumns[i % columns]!)),
  );
  const mean = sum / values.length;
  const std = Math.sqrt(Math.max(0, squares / values.length - mean * mean));
  return { name, shape, rows, columns, cells, mean, std, largest, histogram: histogramOf(values, largest) };
}

/** How many of `count` fall into each of `cells`. */
function sizesOf(count: number, cells: number): number[] {
  const start = (cell: number): number => Math.ceil((cell * count) / cells);
  return Array.from({ length: cells }, (_, cell) => start(cell + 1) - start(cell));
}

function histogramOf(values: Float32Array, largest: number): number[] {
  const bars = new Array<number>(BARS).fill(0);
  for (const value of values) {
    const share = largest === 0 ? 0.5 : (value / largest + 1) / 2;
    bars[Math.min(BARS - 1, Math.floor(share * BARS))]!++;
  }
  return bars;
}

const rounded = (value: number): number => Number(value.toPrecision(4));
