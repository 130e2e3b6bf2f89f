/** @file Tests of strict JSON reading and exact writing. */

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { CheckpointError } from "../base/errors.js";
import { encodeJson, type JsonValue, parseJson, parseJsonAs } from "./json.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("parseJson", () => {
  it("accepts equal keys in different objects and keys that look like braces", () => {
    const text = '{"a":{"x":1},"b":[{"x":2},{"x":"}"}],"{":"\\"x\\":","}" : 3}';
    expect(parseJson(bytes(text), "f")).toEqual(JSON.parse(text));
  });

  it.each(['{"a":1,"a":2}', '{"b":{"a":1,"c":[{}],"a":2}}', '{"a":1,"\\u0061" :2}', '[{"a":"\\\\","a":2}]'])(
    "refuses %s",
    (text) => expect(() => parseJson(bytes(text), "f")).toThrow('f: the key "a" appears twice'),
  );

  it("refuses a byte order mark, NaN and nothing", () => {
    for (const text of ["\ufeff{}", '{"a":NaN}', ""]) {
      expect(() => parseJson(bytes(text), "f")).toThrow(CheckpointError);
    }
  });

  it("says what does not fit a schema", () => {
    const schema = z.object({ a: z.object({ b: z.number() }) });
    expect(() => parseJsonAs(bytes('{"a":{"b":"1"}}'), schema, "f")).toThrow(/^f: a\.b: .*number/);
    expect(() => parseJsonAs(bytes("3"), schema, "f")).toThrow(/^f: top level: /);
  });
});

describe("encodeJson", () => {
  it("comes back exactly", () => {
    const value: JsonValue = {
      numbers: [0, -0, 0.1, 1e300, 5e-324, -(2 ** 53), 4294967295],
      text: 'quote " and \u2028 and \ud83d\ude00',
      nested: { list: [{ a: null }, [], {}], yes: true },
      10: "ten",
    };
    const back = parseJson(bytes(encodeJson(value, "value")), "f");
    expect(back).toEqual(value);
    expect(Object.is((back as { numbers: number[] }).numbers[1], -0)).toBe(true);
  });

  it.each<[string, unknown, string]>([
    ["NaN", { loss: { best: Number.NaN } }, "state.loss.best is NaN"],
    ["infinity", [1, Number.POSITIVE_INFINITY], "state[1] is Infinity"],
    ["undefined", { a: undefined }, "state.a is undefined"],
    ["a date", { a: new Date(Number.NaN) }, "state.a is Invalid Date"],
    ["a map", new Map(), "state is [object Map]"],
    ["a bigint", 1n, "state is 1"],
  ])("refuses %s", (_, value, message) => {
    expect(() => encodeJson(value as JsonValue, "state")).toThrow(CheckpointError);
    expect(() => encodeJson(value as JsonValue, "state")).toThrow(message);
  });
});
