/** @file Reads one entry of tokenizer.json against its schema. */

import { z } from "zod";
import { CheckpointError } from "../base/errors.js";

/** Any entry that says what type it is. */
export const typedSchema = z.looseObject({ type: z.string() });

/** @throws CheckpointError that names the entry and what is wrong with it. */
export function parseEntry<T>(schema: z.ZodType<T>, entry: unknown, name: string): T {
  const result = schema.safeParse(entry);
  if (result.success) return result.data;
  throw new CheckpointError(`tokenizer.json: ${name}: ${z.prettifyError(result.error)}`);
}
