/** @file Bodies of requests: JSON of a bounded size that fits a schema. */

import type { Context } from "hono";
import type { z } from "zod";
import { Refusal } from "./refusal.js";

/** Longer than any question; short enough to hold many at once. */
const maxBodyBytes = 64 * 1024;

/** @throws Refusal naming what is wrong: media type, size, encoding, JSON or a field. */
export async function readJson<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.output<Schema>> {
  return check(await readJsonBody(c), schema);
}

/**
 * @param maxBytes most bytes of the body.
 * @throws Refusal naming what is wrong: media type, size, encoding, JSON, or more than 256 levels of it.
 */
export async function readJsonBody(c: Context, maxBytes = maxBodyBytes): Promise<unknown> {
  const mediaType = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new Refusal(
      415,
      `the body must be JSON with content-type: application/json, not ${mediaType ?? "without one"}`,
    );
  }
  return parseJson(decode(await readBytes(c.req.raw.body, maxBytes)));
}

/** @throws Refusal naming the field that does not fit. */
export function check<Schema extends z.ZodType>(value: unknown, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  if (path.length === 0) throw new Refusal(400, message);
  const field = path.join(".");
  throw new Refusal(400, `${field}: ${message}`, field);
}

/** @param refuse what is thrown for a longer body. */
export async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  refuse = () => new Refusal(413, `the body may have at most ${maxBytes} bytes; shorten the text`),
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += part.length;
    if (length > maxBytes) throw refuse();
    parts.push(part);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal(400, "the body is not UTF-8");
  }
}

/** Deeper than any request needs; readers of schemas call themselves for each level. */
const maxDepth = 256;

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new Refusal(400, `the body is not JSON: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
  if (isDeeper(value, maxDepth)) throw new Refusal(400, `the body nests deeper than ${maxDepth} levels`);
  return value;
}

/** Level by level, as what is too deep to read is too deep to recurse into. */
function isDeeper(value: unknown, limit: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return false;
}
