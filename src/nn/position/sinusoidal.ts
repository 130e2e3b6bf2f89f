/** @file Fixed position encodings of sines and cosines (Vaswani et al. 2017, arXiv:1706.03762, section 3.5). */

import { type HostTensor, zeros } from "../../base/host-tensor.js";

/**
 * Rows for positions 0 … length - 1, [length, size]: sin(position / 10000^(2i/size)) at column 2i and the cosine at
 * column 2i + 1. A layer adds them to its embeddings, by `gather(table, positions)`.
 */
export function sinusoidalTable(length: number, size: number, base = 10_000): HostTensor {
  const table = zeros("float32", [length, size]);
  for (let position = 0; position < length; position++) {
    for (let column = 0; column < size; column++) {
      const angle = position / base ** ((column - (column % 2)) / size);
      table.data[position * size + column] = column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return table;
}
