/** @file Conditions on the metadata of documents: a small JSON language with one meaning in every index. */
import { ConfigError, DataError } from "../base/errors.js";

export type MetadataValue = string | number | boolean;

/** What is known of a document beside its text: language, author, date, a label. */
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** All of the conditions given hold. */
export interface Comparison {
  readonly $in?: readonly MetadataValue[];
  readonly $ne?: MetadataValue;
  readonly $gt?: string | number;
  readonly $gte?: string | number;
  readonly $lt?: string | number;
  readonly $lte?: string | number;
}

/**
 * Conditions that all hold: on fields by name, `{ lang: "zh", year: { $gte: 2020 } }`, and `$and`, `$or`, `$not` over
 * filters. `{}` holds always, an empty `$or` never.
 */
export interface Filter {
  readonly [field: string]: MetadataValue | Comparison | Filter | readonly Filter[];
}

/** A filter taken apart: what stores evaluate or translate. */
export type Condition =
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition }
  | { readonly kind: "in"; readonly field: string; readonly values: readonly MetadataValue[] }
  | { readonly kind: OrderName; readonly field: string; readonly value: string | number };

const orders = {
  $gt: (sign: number) => sign > 0,
  $gte: (sign: number) => sign >= 0,
  $lt: (sign: number) => sign < 0,
  $lte: (sign: number) => sign <= 0,
} as const;
type OrderName = keyof typeof orders;

/**
 * Whether metadata fulfil a filter. Values are equal when type and value are. A field that is missing equals nothing, so
 * that `$ne` holds for it and every other comparison does not. Order is for two numbers or for two strings (by code points);
 * a value of another type fulfils no order.
 * @throws ConfigError when `filter` is none, naming the place.
 */
export function matches(filter: Filter, metadata: Metadata): boolean {
  return fulfils(parseFilter(filter), metadata);
}

/** The same for a filter that is asked of many documents. */
export function fulfils(condition: Condition, metadata: Metadata): boolean {
  switch (condition.kind) {
    case "and":
      return condition.of.every((part) => fulfils(part, metadata));
    case "or":
      return condition.of.some((part) => fulfils(part, metadata));
    case "not":
      return !fulfils(condition.of, metadata);
    case "in": {
      const value = fieldOf(metadata, condition.field);
      return value !== undefined && condition.values.includes(value);
    }
    default: {
      const value = fieldOf(metadata, condition.field);
      return typeof value === typeof condition.value && orders[condition.kind](compare(value!, condition.value));
    }
  }
}

/** @throws ConfigError naming the place at which a value from outside is no filter. */
export function parseFilter(filter: unknown, place = "filter"): Condition {
  if (!isObject(filter)) throw wrong(place, "an object of fields", filter);
  return all(Object.entries(filter).map(([key, value]) => parseEntry(key, value, `${place}.${key}`)));
}

function parseEntry(key: string, value: unknown, place: string): Condition {
  if (key === "$not") return { kind: "not", of: parseFilter(value, place) };
  if (key === "$and" || key === "$or") {
    if (!Array.isArray(value)) throw wrong(place, "a list of filters", value);
    const of = value.map((part: unknown, i) => parseFilter(part, `${place}[${i}]`));
    return { kind: key === "$and" ? "and" : "or", of };
  }
  if (isHalf(key)) throw wrong(place, "a name without zero characters and half surrogate pairs", key);
  if (key.startsWith("$"))
    throw new ConfigError(`${place}: unknown; there are $and, $or and $not, and names of fields`);
  if (isValue(value)) return { kind: "in", field: key, values: [value] };
  if (!isObject(value)) throw wrong(place, "a value or an object of comparisons", value);
  const comparisons = Object.entries(value);
  if (comparisons.length === 0) throw wrong(place, "at least one comparison", value);
  return all(comparisons.map(([operator, operand]) => parseComparison(key, operator, operand, `${place}.${operator}`)));
}

function parseComparison(field: string, operator: string, operand: unknown, place: string): Condition {
  if (operator === "$in") {
    if (!Array.isArray(operand) || !operand.every(isValue)) throw wrong(place, "a list of values", operand);
    return { kind: "in", field, values: operand };
  }
  if (operator === "$ne") {
    if (!isValue(operand)) throw wrong(place, "a value", operand);
    return { kind: "not", of: { kind: "in", field, values: [operand] } };
  }
  if (!isOrder(operator)) {
    throw new ConfigError(`${place}: unknown; there are $in, $ne, ${Object.keys(orders).join(", ")}`);
  }
  if (!isValue(operand) || typeof operand === "boolean") throw wrong(place, "a number or a string", operand);
  return { kind: operator, field, value: operand };
}

/**
 * Checks the metadata of a document that is to be indexed.
 * @throws DataError when a name starts with $, or a value is none that every index can keep.
 */
export function checkMetadata(path: string, metadata: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(metadata)) {
    const place = `indexing ${path}: metadata ${JSON.stringify(field)}`;
    if (field.startsWith("$")) throw new DataError(`${place} starts with $, which filters use; rename it`);
    if (!isValue(value) || isHalf(field)) {
      throw new DataError(
        `${place}: expected a finite number, a boolean, or a string without zero characters and half surrogate pairs, got ${shown(value)}`,
      );
    }
  }
}

const all = (of: readonly Condition[]): Condition => (of.length === 1 ? of[0]! : { kind: "and", of });

const isOrder = (name: string): name is OrderName => Object.hasOwn(orders, name);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What every index can keep: databases have no text with zeros and half surrogate pairs, and JSON no NaN. */
const isValue = (value: unknown): value is MetadataValue =>
  (typeof value === "string" && !isHalf(value)) ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isFinite(value));

/** Own fields only, so that no filter meets what every object inherits. */
const fieldOf = (metadata: Metadata, field: string): MetadataValue | undefined =>
  Object.hasOwn(metadata, field) ? metadata[field] : undefined;

const isHalf = (text: string): boolean => /[\0\p{Surrogate}]/u.test(text);

/** Negative, zero or positive; strings by code points, as databases have them, not by UTF-16 code units. */
function compare(a: MetadataValue, b: MetadataValue): number {
  if (typeof a !== "string" || typeof b !== "string") return Number(a) - Number(b);
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  if (i === a.length || i === b.length) return a.length - b.length;
  return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
}

/** Code units in the order of the code points that they belong to: pairs stand above all single ones. */
const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);

const shown = (value: unknown): string =>
  typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "undefined");

const wrong = (place: string, expected: string, value: unknown): ConfigError =>
  new ConfigError(`${place}: expected ${expected}, got ${shown(value)}`);
