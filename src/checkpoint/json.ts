/** @file JSON that is not trusted when read and not altered when written. */

import type { z } from "zod";
import { CheckpointError, messageOf } from "../base/errors.js";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * Parses UTF-8 JSON. `JSON.parse` alone keeps the last of two equal keys without a word.
 * @throws CheckpointError when the bytes are not UTF-8 or not JSON, or an object has a key twice.
 */
export function parseJson(bytes: Uint8Array, source: string): JsonValue {
  let text: string;
  let value: JsonValue;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (thrown) {
    throw new CheckpointError(`${source}: expected JSON, but ${messageOf(thrown)}`, { cause: thrown });
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) throw new CheckpointError(`${source}: the key ${JSON.stringify(twice)} appears twice`);
  return value;
}

/**
 * Parses JSON and checks its form.
 * @throws CheckpointError that lists what is missing or wrong.
 */
export function parseJsonAs<T>(bytes: Uint8Array, schema: z.ZodType<T>, source: string): T {
  const result = schema.safeParse(parseJson(bytes, source));
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "top level"}: ${issue.message}`);
  throw new CheckpointError(`${source}: ${problems.join("; ")}`);
}

/**
 * Writes a value so that parsing gives back exactly the same one, -0 included.
 * @param at what the value is called in errors.
 * @throws CheckpointError for what JSON cannot hold (NaN, infinities, undefined, class instances): `JSON.stringify` would
 * turn it into null or drop it.
 */
export function encodeJson(value: JsonValue, at: string, indent = ""): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  const inner = `${indent}  `;
  if (isArray(value)) return `[${value.map((item, i) => encodeJson(item, `${at}[${i}]`, inner)).join(", ")}]`;
  if (isPlainObject(value)) {
    const members = Object.entries(value).map(
      ([key, member]) => `\n${inner}${JSON.stringify(key)}: ${encodeJson(member, `${at}.${key}`, inner)}`,
    );
    return members.length === 0 ? "{}" : `{${members.join(",")}\n${indent}}`;
  }
  throw new CheckpointError(`${at} is ${String(value)}, which JSON cannot hold; use null, a string or leave it out`);
}

// Array.isArray does not narrow a union with a readonly array
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** An object made by a literal or by `JSON.parse`. */
export function isPlainObject(value: unknown): value is { readonly [key: string]: JsonValue } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The first key that an object of this valid JSON text has twice. Loops instead of recursing, so nesting cannot overflow the stack. */
function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  const colon = /\s*:/y;
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") open.push(new Set());
    else if (json[i] === "}") open.pop();
    else if (json[i] === '"') {
      const start = i;
      i = endOfString(json, start);
      colon.lastIndex = i + 1;
      if (!colon.test(json)) continue;
      const key: string = JSON.parse(json.slice(start, i + 1));
      const keys = open.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

/** Index of the quote that ends the string that starts at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i;
}
