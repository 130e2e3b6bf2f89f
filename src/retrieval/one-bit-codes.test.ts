/** @file Bounds of one-bit codes against exact inner products. */
import { describe, expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import { OneBitCodes } from "./one-bit-codes.js";

function unitVectors(rng: Rng, numVectors: number, dimension: number): Float32Array[] {
  return Array.from({ length: numVectors }, () => {
    // a common direction and uneven axes, as embeddings have
    const vector = Float32Array.from({ length: dimension }, (_, i) => (1 + rng.normal()) / (1 + i / 20));
    const length = Math.hypot(...vector);
    return vector.map((x) => x / length);
  });
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

function boundsOf(codes: OneBitCodes, vectors: readonly Float32Array[], query: Float32Array): Float32Array {
  const block = codes.emptyBlock(vectors.length);
  for (const [i, vector] of vectors.entries()) codes.encode(vector, block, i);
  const bounds = new Float32Array(vectors.length);
  codes.bounds(query)(codes.scannable(block), bounds);
  return bounds;
}

describe("OneBitCodes", () => {
  it.each([2, 3, 17, 64, 100, 384, 1000, 4096])("bounds inner products from above in dimension %i", (dimension) => {
    const rng = new Rng(dimension);
    const [query, ...vectors] = unitVectors(rng, 501, dimension);
    const bounds = boundsOf(new OneBitCodes(dimension), vectors, query!);
    const numBelow = vectors.filter((vector, i) => innerProduct(vector, query!) > bounds[i]! + 1e-6).length;
    // one in thirty is meant; in small dimensions the rotation is coarse
    expect(numBelow / vectors.length).toBeLessThan(dimension < 16 ? 0.2 : 0.1);
  });

  it("is not far above them in the dimensions of embedders", () => {
    const [query, ...vectors] = unitVectors(new Rng(5), 501, 384);
    const bounds = boundsOf(new OneBitCodes(384), vectors, query!);
    const excess = vectors.map((vector, i) => bounds[i]! - innerProduct(vector, query!));
    expect(excess.reduce((sum, x) => sum + x, 0) / excess.length).toBeLessThan(0.1);
  });

  it("is the same every time, because codes are stored", () => {
    const codes = new OneBitCodes(12);
    const block = codes.emptyBlock(1);
    codes.encode(
      Float32Array.from({ length: 12 }, (_, i) => (i + 1) / Math.sqrt(650)),
      block,
      0,
    );
    expect([...block.bits]).toEqual([125, 7, 0, 0, 0, 0, 0, 0]);
    expect(block.scales[0]).toBeCloseTo(0.3702377, 6);
  });

  it("writes over an older code and knows places without a vector", () => {
    const rng = new Rng(8);
    const [a, b] = unitVectors(rng, 2, 20);
    const codes = new OneBitCodes(20);
    const block = codes.emptyBlock(3);
    codes.encode(a!, block, 1);
    codes.encode(b!, block, 1);
    const bounds = new Float32Array(3);
    codes.bounds(b!)(codes.scannable(block), bounds);
    expect(bounds[0]).toBe(Number.NEGATIVE_INFINITY);
    expect(bounds[1]).toBe(boundsOf(codes, [b!], b!)[0]);
    expect(bounds[2]).toBe(Number.NEGATIVE_INFINITY);
  });
});
