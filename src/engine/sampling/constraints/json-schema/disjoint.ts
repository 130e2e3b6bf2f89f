/** @file Whether two schemas certainly have no value in common. */

import {
  isOfType,
  type JsonSchema,
  type JsonType,
  jsonTypes,
  readSchema,
  resolve,
  type SchemaKeywords,
  typeOfValue,
} from "./schema.js";

/** References are followed so far; beyond, schemas count as overlapping. */
const maxDepth = 8;

/** Errs to the side of no: types, values, or a property that both require must tell them apart. */
export function areDisjoint(root: JsonSchema, a: JsonSchema, b: JsonSchema, path: string, depth = 0): boolean {
  if (a === false || b === false) return true;
  if (depth > maxDepth || a === true || b === true) return false;
  const [first, second] = [a, b].map((schema) => readSchema(schema, path)) as [SchemaKeywords, SchemaKeywords];
  const areApart = (x: JsonSchema, y: JsonSchema): boolean => areDisjoint(root, x, y, path, depth + 1);
  if (first.$ref !== undefined) return areApart(resolve(root, first.$ref, path), b);
  if (second.$ref !== undefined) return areApart(a, resolve(root, second.$ref, path));
  const branches = first.anyOf ?? first.oneOf ?? first.allOf;
  if (branches !== undefined) return branches.every((branch) => areApart(branch, b));
  if (second.anyOf ?? second.oneOf ?? second.allOf) return areApart(b, a);
  const [firstValues, secondValues] = [valuesOf(first), valuesOf(second)];
  if (firstValues !== undefined && secondValues !== undefined) {
    const texts = new Set(firstValues.map(sortedText));
    return !secondValues.some((value) => texts.has(sortedText(value)));
  }
  const [firstTypes, secondTypes] = [typesOf(first, firstValues), typesOf(second, secondValues)];
  const common = jsonTypes.filter((type) => isOfType(type, firstTypes) && isOfType(type, secondTypes));
  if (common.length === 0) return true;
  return common.every((type) => type === "object") && differInProperty(first, second, areApart);
}

/** Both require a property whose schemas are disjoint. */
function differInProperty(
  a: SchemaKeywords,
  b: SchemaKeywords,
  areApart: (x: JsonSchema, y: JsonSchema) => boolean,
): boolean {
  const shared = (a.required ?? []).filter((name) => b.required?.includes(name));
  return shared.some((name) => {
    const [first, second] = [a, b].map(({ properties = {} }) =>
      Object.hasOwn(properties, name) ? properties[name] : true,
    );
    return areApart(first, second);
  });
}

function valuesOf(schema: SchemaKeywords): readonly unknown[] | undefined {
  return schema.const === undefined ? schema.enum : [schema.const];
}

/** Unlike for writing, a schema that names no type allows all. */
function typesOf({ type }: SchemaKeywords, values: readonly unknown[] | undefined): readonly JsonType[] {
  if (values !== undefined) return values.map(typeOfValue);
  if (type === undefined) return jsonTypes;
  return typeof type === "string" ? [type] : type;
}

/** Equal for equal values, whatever the order of their keys. */
function sortedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${sortedText(member)}`);
  return `{${members.sort().join()}}`;
}
