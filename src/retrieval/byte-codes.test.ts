/** @file Byte codes against exact inner products. */
import { expect, it } from "vitest";
import { Rng } from "../base/rng.js";
import { ByteCodes, slotsPerPage } from "./byte-codes.js";

function unitVector(rng: Rng, dimension: number): Float32Array {
  const vector = Float32Array.from({ length: dimension }, (_, i) => rng.normal() / (1 + i / 20));
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}

it.each([1, 2, 3, 7, 64, 384])("keeps inner products in dimension %i within half a step per component", (dimension) => {
  const rng = new Rng(dimension);
  const codes = new ByteCodes(dimension);
  const page = codes.emptyPage();
  const vectors = Array.from({ length: slotsPerPage }, () => unitVector(rng, dimension));
  for (const [i, vector] of vectors.entries()) codes.encode(vector, page, i);
  const query = unitVector(rng, dimension);
  const sum = query.reduce((total, x) => total + Math.abs(x), 0);
  const products = new Map<number, number>();
  const comparison = codes.compare(query, (key, product) => products.set(key, product));
  // a whole batch and a part of one
  for (let i = 0; i < 300; i++) comparison.add(i, page, i % slotsPerPage);
  comparison.flush();
  expect([...products.keys()]).toEqual(Array.from({ length: 300 }, (_, i) => i));
  for (const [i, vector] of vectors.entries()) {
    const exact = vector.reduce((total, x, k) => total + x * query[k]!, 0);
    expect(products.get(i + slotsPerPage) ?? products.get(i)).toBe(products.get(i));
    const error = Math.abs(products.get(i)! - exact);
    expect(error).toBeLessThan((page.scales[i]! / 2) * sum + 1e-6);
    if (dimension === 384) expect(error).toBeLessThan(0.005);
  }
});
