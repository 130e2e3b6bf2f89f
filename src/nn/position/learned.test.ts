import { describe, expect, it } from "vitest";
import { input, interpret, reference } from "../../graph/index.js";
import { scopeOf } from "../scope.js";
import { learnedPositions } from "./learned.js";

describe("learnedPositions", () => {
  it("gives each position its row", () => {
    const { parameter, embed } = learnedPositions("position.weight", 4, 2, 0.02);
    expect(parameter.shape).toEqual([4, 2]);
    const table = input("table", "float32", parameter.shape);
    const positions = input("positions", "int64", [1, 3]);
    const feeds = new Map([
      [table, reference("float32", [4, 2], Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7))],
      [positions, reference("int64", [1, 3], Float64Array.of(3, 0, 1))],
    ]);
    const [out] = interpret([embed(scopeOf({ "position.weight": table }), positions)], feeds);
    expect([...out!.data]).toEqual([6, 7, 0, 1, 2, 3]);
  });
});
