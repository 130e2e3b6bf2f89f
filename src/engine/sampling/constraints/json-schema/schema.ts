/** @file What of JSON Schema (draft 2020-12) a constraint can follow; everything else is refused by name. */

import { z } from "zod";
import { ConfigError, UnsupportedError } from "../../../../base/errors.js";

/** A schema as parsed JSON; `readSchema` checks it where it is used. */
export type JsonSchema = unknown;

export const jsonTypes = ["object", "array", "string", "number", "integer", "boolean", "null"] as const;
export type JsonType = (typeof jsonTypes)[number];

const size = z.number().int().min(0);
const typeName = z.enum(jsonTypes);
const schemas = z.record(z.string(), z.unknown());

const keywords = z.object({
  $ref: z.string().optional(),
  $defs: schemas.optional(),
  definitions: schemas.optional(),
  type: z.union([typeName, z.array(typeName).min(1)]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).min(1).optional(),
  oneOf: z.array(z.unknown()).min(1).optional(),
  allOf: z.array(z.unknown()).length(1, "only one schema can be followed: put them together").optional(),
  properties: schemas.optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  prefixItems: z.array(z.unknown()).optional(),
  minItems: size.optional(),
  maxItems: size.optional(),
  minLength: size.optional(),
  maxLength: size.optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  multipleOf: z.number().positive().optional(),
});

export type SchemaKeywords = Readonly<z.infer<typeof keywords>>;
export type SchemaKeyword = keyof SchemaKeywords;

/** Keywords that say nothing about values. */
const annotations = new Set(
  "$schema $id $comment title description default examples deprecated readOnly writeOnly contentMediaType contentEncoding contentSchema".split(
    " ",
  ),
);
const definitions: readonly SchemaKeyword[] = ["$defs", "definitions"];

/**
 * The keywords of one schema.
 * @param path where it stands, as a JSON pointer, for errors.
 * @throws UnsupportedError naming keywords that cannot be followed; ConfigError for values that they cannot have.
 */
export function readSchema(schema: JsonSchema, path: string): SchemaKeywords {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema))
    throw new ConfigError(`${at(path)}: expected an object or a boolean, got ${JSON.stringify(schema)}`);
  const isKnown = (key: string, value: unknown): boolean =>
    Object.hasOwn(keywords.shape, key) || annotations.has(key) || (key === "propertyNames" && isAnyString(value));
  const unknown = Object.entries(schema).flatMap(([key, value]) => (isKnown(key, value) ? [] : [key]));
  if (unknown.length > 0) {
    throw new UnsupportedError(
      `${at(path)}: a constraint cannot follow ${unknown.join(", ")}; leave it out and check the output, or use ${Object.keys(keywords.shape).join(", ")}`,
    );
  }
  const result = keywords.safeParse(schema);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new ConfigError(`${at(path)}: ${issue.path.join(".")}: ${issue.message}`);
  }
  // as it was given: a copy would lose a property named __proto__
  return schema as SchemaKeywords;
}

/** Says nothing about names, which are strings; zod writes it for records. */
function isAnyString(schema: unknown): boolean {
  return JSON.stringify(schema) === '{"type":"string"}';
}

/** @throws UnsupportedError when `keyword` has others beside it than `allowed` and definitions. */
export function checkAlone(
  schema: SchemaKeywords,
  keyword: SchemaKeyword,
  allowed: SchemaKeyword[],
  path: string,
): void {
  const known = [keyword, ...allowed, ...definitions];
  const others = (Object.keys(schema) as SchemaKeyword[]).filter(
    (key) => schema[key] !== undefined && !known.includes(key),
  );
  if (others.length > 0) {
    throw new UnsupportedError(
      `${at(path)}: a constraint cannot follow ${others.join(", ")} beside ${keyword}; put them into one of the schemas`,
    );
  }
}

/** The value types that a schema allows: as it says, or those that its keywords speak of, or all. */
export function typesOf(schema: SchemaKeywords): readonly JsonType[] {
  if (schema.type !== undefined) return typeof schema.type === "string" ? [schema.type] : schema.type;
  const mentioned = jsonTypes.filter((type) => keywordsOf[type].some((keyword) => schema[keyword] !== undefined));
  return mentioned.length > 0 ? mentioned : jsonTypes.filter((type) => type !== "integer");
}

const keywordsOf: Readonly<Record<JsonType, readonly SchemaKeyword[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  integer: [],
  boolean: [],
  null: [],
};

/**
 * The schema that `$ref` names within `root`.
 * @throws UnsupportedError for another document's; ConfigError when there is none.
 */
export function resolve(root: JsonSchema, reference: string, path: string): JsonSchema {
  if (reference !== "#" && !reference.startsWith("#/")) {
    throw new UnsupportedError(
      `${at(path)}: $ref ${reference} leads elsewhere; only "#" and "#/…" can be followed, so put the schema into $defs`,
    );
  }
  let found = root;
  for (const part of reference.split("/").slice(1)) {
    const key = decoded(part);
    const isThere = typeof found === "object" && found !== null && Object.hasOwn(found, key);
    if (!isThere) throw new ConfigError(`${at(path)}: $ref ${reference} names nothing; there is no ${key}`);
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return found;
}

function decoded(part: string): string {
  const text = part.replace(/%[\da-fA-F]{2}/g, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}

export function at(path: string): string {
  return `JSON Schema at ${path}`;
}

/** The type of a parsed value. */
export function typeOfValue(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  if (typeof value === "string") return "string";
  return typeof value === "boolean" ? "boolean" : "object";
}

/** Whether a value of `type` is one of `types`: every integer is a number. */
export function isOfType(type: JsonType, types: readonly JsonType[]): boolean {
  return types.includes(type) || (type === "integer" && types.includes("number"));
}
