import { describe, expect, it } from "vitest";
import { differentiate } from "./differentiate.js";
import { dequantizeNf4, matmul, nf4Sizes } from "./ops/index.js";
import { readLate } from "./read-late.js";
import { type Aval, type Graph, graph, type Node, type Tensor, topologicalOrder } from "./tensor.js";

const shape = [8, 8];
const sizes = nf4Sizes(64);
const parts = (name: string): Record<string, Aval> => ({
  [`${name}0`]: { dtype: "uint8", shape: [sizes.packed] },
  [`${name}1`]: { dtype: "uint8", shape: [sizes.blocks] },
  [`${name}2`]: { dtype: "float32", shape: [sizes.nested] },
  [`${name}3`]: { dtype: "float32", shape: [] },
});
const inputs: Record<string, Aval> = { x: { dtype: "float32", shape }, ...parts("v"), ...parts("w") };
const source = graph("two maps", inputs, (given) => {
  const weight = (name: string): Tensor => {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => given[`${name}${i}`]!);
    return dequantizeNf4(a!, b!, c!, d!, shape);
  };
  const h = matmul(given.x!, weight("v"));
  return { y: matmul(matmul(h, h), weight("w")) };
});

/** What each unpacking waits for. */
const awaited = ({ inputs: given, outputs }: Graph): (Node | undefined)[] =>
  topologicalOrder(Object.values(outputs), new Set(Object.values(given)))
    .filter(({ op }) => op.name === "dequantize_nf4")
    .map(({ inputs: [, , , offset] }) => (offset!.node.op.name === "after" ? offset!.node.inputs[1]!.node : undefined));

describe("readLate", () => {
  const { forward, backward, residuals } = differentiate(source, { wrt: ["x"], save: "inputs" });

  it("unpacks after what the matrix is multiplied with; what multiplies an input need not wait", () => {
    expect(Object.keys(residuals)).toEqual([]);
    expect(awaited(forward)).toEqual([undefined, undefined]);
    expect(awaited(readLate(forward)).map((node) => node?.op.name)).toEqual([undefined, "matmul"]);
  });

  it("unpacks again for each reader, in the backward pass too", () => {
    expect(awaited(backward)).toHaveLength(2);
    const late = readLate(backward);
    expect(Object.keys(late.outputs)).toEqual(["d_x"]);
    // v to compute h again, v and w for the gradients; w's reader multiplies the gradient that is fed
    expect(awaited(late).map((node) => node?.op.name)).toEqual([undefined, undefined, "add"]);
  });
});
