import { describe, expect, it } from "vitest";
import { type Metric, type MetricTask, metrics } from "./index.js";

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
const task: MetricTask = { parse, fields: ["a", "b"] };
const pair = (text: string, expected: string) => ({ text, expected });

describe("metrics", () => {
  it.each(Object.entries<Metric>(metrics))(
    "%s goes by its name, gives 1 for what is right and 0 for nothing",
    (name, metric) => {
      expect(metric.name).toBe(name);
      const right = metric.score([pair('{"a":1,"b":"x"}', '{"a":1,"b":"x"}')], task);
      expect(Object.keys(right).every((key) => key === name || key.startsWith(`${name}.`))).toBe(true);
      expect(Object.values(right).every((value) => value === 1)).toBe(true);
      expect(Object.values(metric.score([pair("", '{"a":1,"b":"x"}')], task)).every((value) => value === 0)).toBe(true);
      expect(Object.values(metric.score([], task)).every((value) => value === 0)).toBe(true);
    },
  );

  it("match texts but for white space around them", () => {
    const pairs = [pair(" red\n", "red"), pair("Red", "red")];
    expect(metrics["exact-match"].score(pairs, {})).toEqual({ "exact-match": 0.5 });
    expect(metrics["choice-accuracy"].score(pairs, {})).toEqual({ "choice-accuracy": 0.5 });
  });

  it("count common words as often as both have them", () => {
    // 2 of 4 and 2 of 3
    const score = metrics["token-f1"].score([pair("The cat, the Dog", "the dog ran")], {});
    expect(score["token-f1"]).toBeCloseTo(4 / 7, 12);
    expect(metrics["token-f1"].score([pair("a b", "b a")], {})).toEqual({ "token-f1": 1 });
    expect(metrics["token-f1"].score([pair("猫喜欢鱼", "鱼喜欢猫")], {})["token-f1"]).toBe(1);
  });

  it("score objects as wholes, by property, and by whether they are any", () => {
    const pairs = [pair('{"a":1,"b":2}', '{"a":1,"b":3}'), pair('{"a":1}', '{"a":1}'), pair('{"a":', '{"a":1}')];
    expect(metrics["object-match"].score(pairs, task)).toEqual({ "object-match": 1 / 3 });
    expect(metrics["field-accuracy"].score(pairs, task)).toEqual({
      "field-accuracy.a": 2 / 3,
      // that neither has it is right too
      "field-accuracy.b": 1 / 3,
    });
    expect(metrics["valid-json"].score(pairs, task)).toEqual({ "valid-json": 2 / 3 });
  });
});
