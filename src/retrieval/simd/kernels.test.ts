/** @file The kernels in WebAssembly against plain loops. */
import { expect, it } from "vitest";
import { Rng } from "../../base/rng.js";
import { ByteKernel } from "./byte-kernel.js";
import { numLanes, SignKernel } from "./sign-kernel.js";

it.each([8, 48, 512])(
  "looks up codes of %i bytes, all values of a half byte and sums near the limit",
  (bytesPerCode) => {
    const rng = new Rng(bytesPerCode);
    const kernel = new SignKernel(bytesPerCode, 64);
    const largest = Math.min(127, Math.floor(65_535 / (2 * bytesPerCode)));
    for (let i = 0; i < kernel.tables.length; i++) kernel.tables[i] = largest - rng.below(3);
    for (let i = 0; i < kernel.codes.length; i++) kernel.codes[i] = rng.below(256);
    kernel.sums.fill(0);
    kernel.scan(3);
    for (let vector = 0; vector < 64; vector++) {
      const group = Math.floor(vector / numLanes) * numLanes * bytesPerCode + (vector % numLanes);
      let sum = 0;
      for (let byte = 0; byte < bytesPerCode; byte++) {
        const code = kernel.codes[group + byte * numLanes]!;
        sum += kernel.tables[32 * byte + (code & 15)]! + kernel.tables[32 * byte + 16 + (code >> 4)]!;
      }
      expect(kernel.sums[vector]).toBe(vector < 48 ? sum : 0);
    }
  },
);

it.each([1, 15, 16, 17, 384])("multiplies bytes in dimension %i, the least and largest among them", (dimension) => {
  const rng = new Rng(dimension);
  const kernel = new ByteKernel(dimension, 5);
  for (let i = 0; i < dimension; i++) kernel.query[i] = rng.below(2) === 0 ? 32_767 : -32_767;
  for (let i = 0; i < kernel.vectors.length; i++) kernel.vectors[i] = [-127, 127, rng.below(255) - 127][rng.below(3)]!;
  kernel.products.fill(7);
  kernel.multiply(4);
  for (let vector = 0; vector < 5; vector++) {
    const product = kernel.query.reduce((sum, x, i) => sum + x * kernel.vectors[vector * dimension + i]!, 0);
    expect(kernel.products[vector]).toBe(vector < 4 ? product : 7);
  }
});
