/** @file What tests against golden files share: tensors of a file, differences, values into buffers. */

import { appendFileSync } from "node:fs";
import { afterAll, beforeAll, expect } from "vitest";
import type { HostTensor } from "../../src/base/host-tensor.js";
import { openSafetensors } from "../../src/checkpoint/index.js";
import { Runtime } from "../../src/runtime/index.js";

/** All tensors of a safetensors file by name. */
export async function readTensors(path: string): Promise<Map<string, HostTensor>> {
  await using source = await openSafetensors(path);
  const tensors = new Map<string, HostTensor>();
  for (const name of source.tensors.keys()) tensors.set(name, await source.read(name));
  return tensors;
}

/** Reads the expected values of a folder. What is not there is the golden file's fault. */
export const expectedIn =
  (folder: string, expected: ReadonlyMap<string, HostTensor>) =>
  (key: string): HostTensor => {
    const tensor = expected.get(key);
    if (!tensor) throw new Error(`${folder} has no expected value ${key}`);
    return tensor;
  };

/** Values of a tensor as numbers. */
export const numbers = ({ data }: HostTensor): number[] => Array.from(data as ArrayLike<number | bigint>, Number);

/** Largest absolute difference; shapes must be equal. */
export function maxDifference(actual: HostTensor, expected: HostTensor): number {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [numbers(actual), numbers(expected)];
  // NaN must not pass for small
  return b.reduce((worst, value, i) => (Math.abs(a[i]! - value) <= worst ? worst : Math.abs(a[i]! - value)), 0);
}

/** Largest difference over the largest value. */
export function relativeDifference(actual: HostTensor, expected: HostTensor): number {
  const largest = numbers(expected).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  expect(largest).toBeGreaterThan(0);
  return maxDifference(actual, expected) / largest;
}

/** Writes values into the buffers of the same names. */
export function fill(
  buffers: Readonly<Record<string, HostTensor>>,
  values: Readonly<Record<string, HostTensor | readonly number[]>>,
): void {
  for (const [name, value] of Object.entries(values)) {
    const { data } = buffers[name]!;
    const from = "data" in value ? numbers(value) : value;
    expect(from.length).toBe(data.length);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set(from.map(BigInt));
    else data.set(from);
  }
}

/** Largest differences of a suite's cases, noted for docs/support.md when the suite ends. */
export function differences(): (name: string, what: string, difference: number) => void {
  const measured: Record<string, Record<string, number>> = {};
  afterAll(() => {
    for (const [name, figures] of Object.entries(measured)) noteFigures(name, figures);
  });
  return (name, what, difference) => {
    measured[name] = { ...measured[name], [what]: Math.max(measured[name]?.[what] ?? 0, difference) };
  };
}

/** A runtime on one thread for the tests of a file. */
export function sharedRuntime(): () => Runtime {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open({ numThreads: 1 });
  });
  afterAll(() => runtime.close());
  return () => runtime;
}

/** Measured differences for docs/support.md, one JSON line per case, where the file is asked for. */
export function noteFigures(name: string, figures: Readonly<Record<string, number>>): void {
  const path = process.env.TESSERA_MEASURED;
  if (path) appendFileSync(path, `${JSON.stringify({ name, ...figures })}\n`);
}
