import { describe, expect, it } from "vitest";
import { inline } from "./inline.js";
import { interpret } from "./interpret.js";
import { add, mul } from "./ops/index.js";
import { reference } from "./reference.js";
import { type Aval, graph, input } from "./tensor.js";

const vector: Aval = { dtype: "float32", shape: [2] };
const affine = graph("affine", { x: vector, b: vector }, ({ x, b }) => ({ y: add(mul(x, 3), b), b2: mul(b, b) }));

describe("inline", () => {
  it("computes a graph's outputs on other tensors, twice where it is asked twice", () => {
    const z = input("z", "float32", [2]);
    const once = inline(affine, { x: z, b: z });
    const twice = inline(affine, { x: once.y!, b: once.b2! });
    const value = reference("float32", [2], Float64Array.of(1, 2));
    // 3z + z = 4z, then 3 · 4z + z²
    const [first, second] = interpret([once.y!, twice.y!], new Map([[z, value]]));
    expect([...first!.data]).toEqual([4, 8]);
    expect([...second!.data]).toEqual([13, 28]);
  });

  it("starts in the middle of another graph where it is given what lies there", () => {
    const { b } = affine.inputs;
    const tail = { name: "tail", inputs: { y: affine.outputs.y!, b: b! }, outputs: { z: mul(affine.outputs.y!, b!) } };
    const [y, c] = [input("y", "float32", [2]), input("c", "float32", [2])];
    const { z } = inline(tail, { y, b: c });
    const feeds = new Map([
      [y, reference("float32", [2], Float64Array.of(5, 6))],
      [c, reference("float32", [2], Float64Array.of(2, 3))],
    ]);
    expect([...interpret([z!], feeds)[0]!.data]).toEqual([10, 18]);
  });

  it("refuses a missing input and one of another shape", () => {
    const z = input("z", "float32", [2]);
    expect(() => inline(affine, { x: z })).toThrow('"affine": its input "b" was not given');
    expect(() => inline(affine, { x: z, b: input("b", "float32", [3]) })).toThrow(
      'input "b" is float32[2], got float32[3]',
    );
  });
});
