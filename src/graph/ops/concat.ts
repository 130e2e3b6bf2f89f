/** @file Tensors one after the other along an axis. */
import { ShapeError } from "../../base/errors.js";
import { addDims, type Dim, normalizeAxis, sameShape } from "../dim.js";
import { flatIndex, forEachIndex, reference } from "../reference.js";
import { apply, type OpDef, type Tensor } from "../tensor.js";
import { slice } from "./slice.js";

export const concatOp: OpDef<readonly Tensor[], { readonly axis: number }> = {
  name: "concat",
  infer: (parts, { axis }) => {
    const [first, ...rest] = parts;
    if (!first) throw new ShapeError("concat: needs at least one tensor");
    const others = (shape: readonly Dim[]): Dim[] => shape.map((dim, i) => (i === axis ? 0 : dim));
    for (const part of rest) {
      if (part.dtype !== first.dtype || !sameShape(others(part.shape), others(first.shape))) {
        throw new ShapeError(
          `concat: parts must agree except on axis ${axis}: got ${parts.map((p) => `${p.dtype}[${p.shape}]`).join(", ")}`,
        );
      }
    }
    const size = parts.map((part) => part.shape[axis]!).reduce(addDims);
    return { dtype: first.dtype, shape: first.shape.map((dim, i) => (i === axis ? size : dim)) };
  },
  gradient: (ct, { inputs, attrs: { axis } }) => {
    let start: Dim = 0;
    return inputs.map((part) => {
      const end = addDims(start, part.shape[axis]!);
      const piece = slice(ct, axis, start, end);
      start = end;
      return piece;
    });
  },
  lower: (b, parts, { axis }) => b.node("Concat", parts, { axis }),
  evaluate: (parts, { axis }) => {
    const first = parts[0]!;
    const size = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
    const out = reference(
      first.dtype,
      first.shape.map((dim, i) => (i === axis ? size : dim)),
    );
    let start = 0;
    for (const part of parts) {
      forEachIndex(part.shape, (flat, index) => {
        const moved = index.map((i, a) => (a === axis ? i + start : i));
        out.data[flatIndex(out.shape, moved)] = part.data[flat]!;
      });
      start += part.shape[axis]!;
    }
    return out;
  },
  samples: [
    { inputs: [{ shape: [2, 3] }, { shape: [2, 1] }], attrs: { axis: 1 } },
    { inputs: [{ shape: ["B", "T"] }, { shape: ["B", 2] }, { shape: ["B", "T"] }], attrs: { axis: 1 } },
  ],
};

/** The parts one after the other along `axis` (negative ones count from the end). */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  return parts.length === 1
    ? parts[0]!
    : apply(concatOp, parts, { axis: normalizeAxis("concat", axis, parts[0]?.rank ?? 0) });
}
