/** @file A tiny checkpoint of a family with what transformers computes from it (tools/golden/families.py). */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostTensor } from "../../src/base/host-tensor.js";
import { openSafetensors, readModel } from "../../src/checkpoint/index.js";
import { modelFromConfig } from "../../src/models/index.js";
import { type LanguageModel, parameterSpecs } from "../../src/nn/index.js";
import type { MicroBatch } from "../../src/plan/index.js";

const root = fileURLToPath(new URL("../golden/families", import.meta.url));

export const goldenNames: readonly string[] = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

export interface GoldenFamily {
  readonly folder: string;
  readonly model: LanguageModel;
  readonly parameters: Map<string, HostTensor>;
  /** [B][T]. */
  readonly ids: readonly Int32Array[];
  readonly mask: readonly Int32Array[];
  /** What the loss counts, as the plans take it. */
  readonly batch: MicroBatch;
  readonly expected: ReadonlyMap<string, HostTensor>;
  readonly prompt: Int32Array;
  readonly continuation: readonly number[];
}

export async function goldenFamily(name: string): Promise<GoldenFamily> {
  const folder = join(root, name);
  const stored = await readModel(folder);
  const model = modelFromConfig(stored.config);
  const parameters = new Map(parameterSpecs(model).map((spec) => [spec.name, stored.tensors.get(spec.name)!]));
  await using source = await openSafetensors(join(folder, "expected.safetensors"));
  const expected = new Map<string, HostTensor>();
  for (const key of source.tensors.keys()) expected.set(key, await source.read(key));
  const [batchSize, time] = expected.get("ids")!.shape as [number, number];
  const rowsOf = (key: string): Int32Array[] => {
    const data = Int32Array.from(expected.get(key)!.data as Int32Array);
    return Array.from({ length: batchSize }, (_, i) => data.subarray(i * time, (i + 1) * time));
  };
  const [ids, mask, labels] = [rowsOf("ids"), rowsOf("mask"), rowsOf("labels")];
  return {
    folder,
    model,
    parameters,
    ids,
    mask,
    batch: batchOf(ids, mask, labels),
    expected,
    prompt: Int32Array.from(expected.get("prompt")!.data as Int32Array),
    continuation: Array.from(expected.get("continuation")!.data as Int32Array),
  };
}

/** Labels move one to the left; the loss is their mean; padding is a segment of its own. */
function batchOf(ids: readonly Int32Array[], mask: readonly Int32Array[], labels: readonly Int32Array[]): MicroBatch {
  const next = labels.map((row) => Int32Array.from(row, (_, i) => row[i + 1] ?? -100));
  const flat = (rows: readonly Int32Array[]): Int32Array => Int32Array.from(rows.flatMap((row) => [...row]));
  const shifted = flat(next);
  const count = shifted.filter((label) => label >= 0).length;
  const positions = mask.map((row) => {
    let position = 0;
    return row.map((kept) => (kept === 1 ? position++ : 0));
  });
  return {
    ids: flat(ids),
    labels: shifted.map((label) => Math.max(label, 0)),
    weights: Float32Array.from(shifted, (label) => (label >= 0 ? 1 / count : 0)),
    positions: flat(positions),
    segments: flat(mask).map((kept) => 1 - kept),
  };
}
