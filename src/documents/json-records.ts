/** @file JSON values as text for people: `name: value` in lines, what is nested indented below. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A value that nests deeper than any record does. */
export class TooDeep extends Error {}

const MOST_LEVELS = 200;

/**
 * The blocks of a document: the elements of an array; of an object, its plain values together, then each of its objects,
 * and each object of its arrays; any other value as one.
 */
export function recordsOf(value: Json): string[] {
  if (!isNested(value)) return [recordText(value)];
  if (isArray(value)) return value.map(recordText);
  const plain = Object.entries(value).filter(([, part]) => !holdsRecords(part));
  const head = plain.length === 0 ? [] : [recordText(Object.fromEntries(plain))];
  const records = Object.entries(value).filter(([, part]) => holdsRecords(part));
  return [...head, ...records.flatMap(([name, part]) => blocksOf(name, part))];
}

function blocksOf(name: string, part: Json): string[] {
  return isArray(part) ? part.map(recordText) : [recordText({ [name]: part })];
}

function holdsRecords(value: Json): boolean {
  if (!isNested(value)) return false;
  return isArray(value) ? value.length > 0 && value.every((part) => isNested(part) && !isArray(part)) : true;
}

/** One value as lines. */
export function recordText(value: Json): string {
  return linesOf(value, 0).join("\n");
}

function linesOf(value: Json, level: number): string[] {
  if (level > MOST_LEVELS) throw new TooDeep(`nests deeper than ${MOST_LEVELS} levels`);
  if (!isNested(value)) return [scalarText(value)];
  const indent = "  ".repeat(level);
  const parts = isArray(value)
    ? value.map((part) => ["-", part] as const)
    : Object.entries(value).map(([name, part]) => [`${wellFormed(name)}:`, part] as const);
  return parts.flatMap(([label, part]) => {
    if (isNested(part)) return [`${indent}${label}`, ...linesOf(part, level + 1)];
    return [`${indent}${label} ${scalarText(part)}`];
  });
}

function scalarText(value: string | number | boolean | null): string {
  return typeof value === "string" ? wellFormed(value) : String(value);
}

/** Half surrogate pairs and zeros, which JSON can write and text cannot hold, as JSON writes them. */
function wellFormed(text: string): string {
  return text.replace(
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\0/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function isNested(value: Json): value is readonly Json[] | { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
