import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ConfigError, UnsupportedError } from "../../../../base/errors.js";
import { Rng } from "../../../../base/rng.js";
import { Sampler } from "../../sampler.js";
import { type JsonSchema, jsonSchemaConstraint, TokenTrie } from "../index.js";
import { Machine, type MachineState } from "../machine.js";
import { schemaExpression } from "./compile.js";
import { formats } from "./formats.js";

type Keywords = Readonly<Record<string, unknown>>;

/** An independent reading of the draft: the rules of each keyword, one by one. */
function isValid(root: Keywords, schema: unknown, value: unknown): boolean {
  if (typeof schema === "boolean") return schema;
  const s = schema as Keywords;
  const valid = (part: unknown, of: unknown): boolean => isValid(root, part, of);
  if (typeof s.$ref === "string") {
    const target = s.$ref
      .split("/")
      .slice(1)
      .reduce<unknown>((at, key) => (at as Keywords)[key], root);
    if (!valid(target, value)) return false;
  }
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const types = s.type === undefined ? undefined : [s.type].flat();
  if (types && !types.includes(type) && !(types.includes("integer") && Number.isInteger(value))) return false;
  const same = (other: unknown): boolean => JSON.stringify(other) === JSON.stringify(value);
  if (s.const !== undefined && !same(s.const)) return false;
  if (Array.isArray(s.enum) && !s.enum.some(same)) return false;
  const matching = (branches: unknown): number =>
    (branches as unknown[]).filter((branch) => valid(branch, value)).length;
  if (s.anyOf !== undefined && matching(s.anyOf) === 0) return false;
  if (s.oneOf !== undefined && matching(s.oneOf) !== 1) return false;
  if (typeof value === "number") return isValidNumber(s, value);
  if (typeof value === "string") return isValidString(s, value);
  if (Array.isArray(value)) {
    const prefix = (s.prefixItems ?? []) as unknown[];
    if (value.length < Number(s.minItems ?? 0) || value.length > Number(s.maxItems ?? 1e9)) return false;
    return value.every((item, i) => valid(prefix[i] ?? s.items ?? true, item));
  }
  if (type !== "object") return true;
  const properties = (s.properties ?? {}) as Keywords;
  if (((s.required ?? []) as string[]).some((name) => !Object.hasOwn(value as object, name))) return false;
  return Object.entries(value as object).every(([key, member]) =>
    valid(Object.hasOwn(properties, key) ? properties[key] : (s.additionalProperties ?? true), member),
  );
}

function isValidNumber(s: Keywords, value: number): boolean {
  const [low, high] = [Number(s.minimum ?? -Infinity), Number(s.maximum ?? Infinity)];
  const [above, below] = [Number(s.exclusiveMinimum ?? -Infinity), Number(s.exclusiveMaximum ?? Infinity)];
  const isMultiple = s.multipleOf === undefined || value % Number(s.multipleOf) === 0;
  return Number.isFinite(value) && value >= low && value <= high && value > above && value < below && isMultiple;
}

function isValidString(s: Keywords, value: string): boolean {
  const length = [...value].length;
  if (length < Number(s.minLength ?? 0) || length > Number(s.maxLength ?? 1e9)) return false;
  if (typeof s.format === "string" && !new RegExp(`^(?:${formats[s.format]})$`, "u").test(value)) return false;
  return typeof s.pattern !== "string" || new RegExp(s.pattern, "u").test(value);
}

/** A schema of random keywords; deeper ones are simpler. */
function randomSchema(rng: Rng, depth: number): unknown {
  const one = <T>(items: readonly T[]): T => items[rng.below(items.length)]!;
  const inner = (): unknown => randomSchema(rng, depth - 1);
  const small = (): number => rng.below(3);
  const bound = (): number => Math.round(rng.normal() * 10 ** rng.below(5)) / 10 ** rng.below(4);
  const scalars = [
    () => ({ type: "string", minLength: small(), maxLength: 2 + small() }),
    () => ({ type: "string", pattern: one(["^[a-c]+$", "x|\\d{2}", '^"\\\\\\n?$', "é."]) }),
    () => ({ type: "string", format: one(Object.keys(formats)) }),
    () => ({ type: "integer", minimum: Math.floor(bound()) - 5, exclusiveMaximum: Math.floor(bound()) + 20_000 }),
    () => ({
      type: "number",
      [one(["minimum", "exclusiveMinimum"])]: bound() - 1e5,
      [one(["maximum", "exclusiveMaximum"])]: bound() + 1e5,
    }),
    () => ({ type: "integer", minimum: -7, maximum: 30, multipleOf: 1 + small() }),
    () => ({ type: [one(["boolean", "null"]), one(["integer", "number"])] }),
    () => ({ enum: [1, 'a"b', null, { k: [1.5, true] }] }),
    () => ({ const: one([0, "é\n", false]) }),
    () => ({ $ref: "#/$defs/node" }),
    () => one([true, {}, { type: "object" }]),
  ];
  if (depth === 0) return one(scalars)();
  const names = ["a", "ab", 'b"', "é", "__proto__"].filter(() => rng.below(2) === 0);
  const nested = [
    () => ({
      type: "object",
      properties: JSON.parse(
        `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(inner())}`).join()}}`,
      ) as unknown,
      required: names.filter(() => rng.below(2) === 0),
      ...one([{}, { additionalProperties: false }, { additionalProperties: inner() }]),
    }),
    () => ({ type: "array", items: inner(), minItems: small(), maxItems: 2 + small() }),
    () => ({
      type: "array",
      prefixItems: [inner(), inner()],
      minItems: small(),
      ...one([{}, { items: inner() }, { items: false }]),
    }),
    () => ({ anyOf: [inner(), inner()] }),
    () => ({
      oneOf: ["x", "y"].map((kind) => ({
        type: "object",
        properties: { kind: { const: kind }, v: inner() },
        required: ["kind"],
      })),
    }),
  ];
  return one([...nested, ...scalars.slice(0, 2)])();
}

const node = {
  type: "object",
  properties: { next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
  required: ["next"],
};
/** Single bytes and some longer tokens. */
const trie = new TokenTrie([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...['{"', '":', '", "', "null", "true", '"}', "],", '":"', "00", "é", " {", "[]", '\\"'].map((text) =>
    new TextEncoder().encode(text),
  ),
  undefined,
]);
const end = trie.vocabSize - 1;

/** The text that random logits give; undefined where the limit came first. */
function generated(schema: unknown, rng: Rng, seed: number): string | undefined {
  const constraint = jsonSchemaConstraint(schema, trie);
  const request = { vocabSize: trie.vocabSize, stopIds: new Set([end]), prompt: [], seed, constraint };
  const sampler = new Sampler({ temperature: 1 }, request);
  const bytes: number[] = [];
  // brackets and quotes that close, and the end, are likelier, so that outputs end
  const likely = new Set([...'"]},'].map((symbol) => symbol.charCodeAt(0)).concat(end));
  for (let count = 0; count < 300; count++) {
    const logits = Float32Array.from({ length: trie.vocabSize }, (_, id) => rng.normal() + (likely.has(id) ? 4 : 0));
    const { id } = sampler.next(logits);
    if (id === end) {
      expect(sampler.constraintStatus).toBe("complete");
      return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    }
    bytes.push(...trie.bytesById[id]!);
  }
  return undefined;
}

const allBytes = new Uint8Array(256).fill(1);
function accepts(schema: JsonSchema): (text: string) => boolean {
  const machine = new Machine(schemaExpression(schema), allBytes);
  return (text) => {
    let state: MachineState | null = machine.start;
    for (const byte of new TextEncoder().encode(text)) state = state && machine.step(state, machine.classOf[byte]!);
    return state?.isFinal === true;
  };
}

describe("JSON Schema", () => {
  it("holds for every finished output of random schemas and logits", () => {
    const rng = new Rng(20);
    let numFinished = 0;
    for (let seed = 0; seed < 150; seed++) {
      const schema = { ...(randomSchema(rng, 2) as Keywords), $defs: { node } };
      const text = generated(schema, rng, seed);
      if (text === undefined) continue;
      numFinished++;
      const value: unknown = JSON.parse(text);
      expect([text, JSON.stringify(schema), isValid(schema, schema, value)]).toEqual([
        text,
        JSON.stringify(schema),
        true,
      ]);
    }
    expect(numFinished).toBeGreaterThan(120);
  });

  it("allows exactly the numbers within bounds", () => {
    const rng = new Rng(12);
    for (let round = 0; round < 60; round++) {
      const scale = 10 ** rng.below(4);
      const [a, b] = [0, 0].map(() => Math.round(rng.normal() * 200 * scale) / scale / 10 ** rng.below(4));
      const [low, high] = [Math.min(a!, b!), Math.max(a!, b!)].map((bound) => Number(bound.toPrecision(9)));
      const keys = [["minimum", "exclusiveMinimum"][rng.below(2)]!, ["maximum", "exclusiveMaximum"][rng.below(2)]!];
      const bounds = { [keys[0]!]: low, [keys[1]!]: high, ...(rng.below(4) === 0 ? { minimum: low } : {}) };
      const schema = { type: "number", ...bounds };
      if (low === high) continue;
      const isAllowed = accepts(schema);
      const tried = [
        low!,
        high!,
        0,
        1,
        ...Array.from({ length: 60 }, () => low! + (high! - low!) * (rng.uniform() * 1.4 - 0.2)),
      ];
      for (const value of tried) {
        for (const digits of [0, 1, 2, 4, 7]) {
          const text = value.toFixed(digits);
          expect([text, schema, isAllowed(text)]).toEqual([text, schema, isValidNumber(schema, Number(text))]);
        }
      }
    }
  });

  it("allows exactly the integers within bounds", () => {
    for (const [low, high] of [
      [0, 0],
      [-5, 5],
      [7, 123],
      [-1203, -98],
      [99, 100],
      [-3, 1000],
      [19, 21],
    ] as const) {
      const isAllowed = accepts({ type: "integer", minimum: low, maximum: high });
      for (let value = low - 30; value <= high + 30; value++)
        expect([value, isAllowed(String(value))]).toEqual([value, value >= low && value <= high]);
    }
    const isFree = accepts({ type: "integer", minimum: 1 });
    expect(["1", "999999999999999", "0", "-1", "01", "1.0"].map(isFree)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it("writes properties in order, others only where it is said, and none twice", () => {
    const isOpen = accepts({
      type: "object",
      properties: { a: { type: "null" }, b: true },
      required: ["b"],
      additionalProperties: { type: "integer" },
    });
    expect(['{"b":1}', '{"a":null, "b":[]}', '{"b":1,"c":2, "":3}'].map(isOpen)).toEqual([true, true, true]);
    expect(
      ["{}", '{"a":null}', '{"b":1,"a":null}', '{"b":1,"a":2}', '{"b":1,}', '{"b":1,"c":"x"}'].map(isOpen),
    ).toEqual(Array(6).fill(false));
    const isClosed = accepts({ properties: { a: true } });
    expect(["{}", '{"a":1}', '{"b":1}', "1"].map(isClosed)).toEqual([true, true, false, false]);
  });

  it("follows what zod makes of its types", () => {
    const schema = z.object({
      mail: z.email(),
      id: z.uuid(),
      at: z.iso.datetime(),
      page: z.url(),
      count: z.int(),
      share: z.number().min(0).max(1).optional(),
      kind: z.enum(["a", "b"]).nullable(),
      tags: z.array(z.string().max(8)).max(3),
      shape: z.discriminatedUnion("type", [
        z.object({ type: z.literal("dot") }),
        z.object({ type: z.literal("line"), length: z.number() }),
      ]),
      rest: z.record(z.string(), z.boolean()),
    });
    const value = {
      mail: "a@example.org",
      id: "123e4567-e89b-42d3-a456-426614174000",
      at: "2024-02-29T10:00:00Z",
      page: "https://example.org",
      count: 7,
      kind: null,
      tags: ["x"],
      shape: { type: "line", length: 2.5 },
      rest: { on: true },
    };
    const isRead = accepts(z.toJSONSchema(schema));
    expect(isRead(JSON.stringify(value))).toBe(true);
    expect(isRead(JSON.stringify({ ...value, mail: "a@@example.org" }))).toBe(false);
    expect(isRead(JSON.stringify({ ...value, count: 7.5 }))).toBe(false);
  });

  it.each(["not", "if", "contains", "uniqueItems", "patternProperties", "minProperties", "dependentRequired", "typo"])(
    "names a keyword that it cannot follow: %s",
    (keyword) => {
      const schema = { type: "object", properties: { x: { [keyword]: {} } } };
      expect(() => schemaExpression(schema)).toThrow(UnsupportedError);
      expect(() => schemaExpression(schema)).toThrow(new RegExp(`#/properties/x: .*follow ${keyword}`));
    },
  );

  it.each([
    [{ $ref: "https://example.org/x" }, UnsupportedError],
    [{ $ref: "#/$defs/none" }, ConfigError],
    [{ oneOf: [{ type: "integer" }, { type: "number" }] }, UnsupportedError],
    [{ oneOf: [{ properties: { a: { const: 1 } } }, { properties: { a: { const: 2 } } }] }, UnsupportedError],
    [{ anyOf: [true], minLength: 3 }, UnsupportedError],
    [{ type: "string", format: "iri" }, UnsupportedError],
    [{ type: "string", pattern: "^a$", maxLength: 3 }, UnsupportedError],
    [{ type: "string", pattern: "(?=a)" }, UnsupportedError],
    [{ type: "number", multipleOf: 0.1 }, UnsupportedError],
    [{ type: "number", minimum: 0.1234567890123456 }, UnsupportedError],
    [{ type: "number", minimum: 1e18 }, UnsupportedError],
    [{ type: "integer", minimum: 3, maximum: 2 }, ConfigError],
    [{ type: "number", exclusiveMinimum: 3, maximum: 3 }, ConfigError],
    [{ type: "string", minLength: 3, maxLength: 2 }, ConfigError],
    [{ type: "array", minItems: 3, maxItems: 2 }, ConfigError],
    [{ type: "array", prefixItems: [true], minItems: 2 }, ConfigError],
    [{ type: "integer", enum: ["a"] }, ConfigError],
    [{ enum: [] }, ConfigError],
    [{ type: "object", required: ["a"], properties: {}, additionalProperties: false }, ConfigError],
    [{ type: "text" }, ConfigError],
    [{ minLength: -1 }, ConfigError],
    [{ properties: { a: 3 } }, ConfigError],
    [[], ConfigError],
    ["string", ConfigError],
  ])("refuses %j", (schema, error) => {
    expect(() => schemaExpression(schema)).toThrow(error);
  });

  it.each([
    [false],
    [{ $ref: "#" }],
    [{ anyOf: [{ $ref: "#" }, { type: "null" }] }],
    [{ type: "object", properties: { self: { $ref: "#" } }, required: ["self"] }],
    [{ type: "integer", minimum: 1, maximum: 4, multipleOf: 5 }],
  ])("refuses what no value satisfies: %j", (schema) => {
    expect(() => jsonSchemaConstraint(schema, trie)).toThrow(ConfigError);
  });
});
