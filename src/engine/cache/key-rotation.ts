/** @file How a layer's keys were rotated, read from its graph, and turning them back by some positions. */

import { assert, UnsupportedError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import type { Tensor } from "../../graph/index.js";

/** Rotation of a layer's keys. */
export interface KeyRotation {
  /** Names of the model's tables, [P, R/2]. */
  readonly cos: string;
  readonly sin: string;
  /** Neighbouring dims are rotated together; otherwise dim i and dim i + R/2. */
  readonly isInterleaved: boolean;
}

/**
 * The rotation that keys [B, S, G·C] come out of; undefined where the layer has none. `tables` are the model's by name.
 * @throws UnsupportedError when something else follows the rotation.
 */
export function rotationOf(keys: Tensor, tables: Readonly<Record<string, Tensor>>): KeyRotation | undefined {
  const { op, inputs, attrs } = keys.node;
  if (op.name !== "rope") {
    if (isBehindRope(keys)) {
      throw new UnsupportedError(
        "sinks cache: a layer changes its keys after their rotation, so they cannot be moved; use another cache policy",
      );
    }
    return undefined;
  }
  const nameOf = (table: Tensor | undefined): string => {
    const [name] = Object.entries(tables).find(([, candidate]) => candidate === table) ?? [];
    assert(name !== undefined, "keys are rotated by the model's tables");
    return name;
  };
  return {
    cos: nameOf(inputs[2]),
    sin: nameOf(inputs[3]),
    isInterleaved: "interleaved" in attrs && attrs.interleaved === true,
  };
}

/** Whether a rotation of the same layer is among what a tensor is computed from: earlier layers lie behind attention. */
function isBehindRope(tensor: Tensor): boolean {
  const seen = new Set([tensor.node]);
  for (const { op, inputs } of seen) {
    if (op.name === "rope") return true;
    if (op.name === "grouped_query_attention") continue;
    for (const { node } of inputs) seen.add(node);
  }
  return false;
}

/** cos and sin of `distance` positions, without the factor that some scalings put on their tables. */
export function turnOf(cos: HostTensor, sin: HostTensor, distance: number): readonly [Float64Array, Float64Array] {
  const half = cos.shape[1]!;
  const row = (table: HostTensor): Float64Array =>
    Float64Array.from({ length: half }, (_, i) => Number(table.data[distance * half + i]));
  const [c, s] = [row(cos), row(sin)];
  const scale = c.map((x, i) => Math.hypot(x, s[i]!));
  return [c.map((x, i) => x / scale[i]!), s.map((x, i) => x / scale[i]!)];
}

/** Turns rows of `width` elements back by an angle per pair of dims. */
export function turnBack(
  rows: Float32Array,
  width: number,
  [cos, sin]: readonly [Float64Array, Float64Array],
  isInterleaved: boolean,
): void {
  const half = cos.length;
  for (let row = 0; row < rows.length; row += width) {
    for (let i = 0; i < half; i++) {
      const first = row + (isInterleaved ? 2 * i : i);
      const second = first + (isInterleaved ? 1 : half);
      const [a, b] = [rows[first]!, rows[second]!];
      rows[first] = a * cos[i]! + b * sin[i]!;
      rows[second] = b * cos[i]! - a * sin[i]!;
    }
  }
}
