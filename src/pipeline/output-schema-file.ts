/** @file The schema that a model or an adapter was tuned to write by, beside its weights. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ifThere } from "../checkpoint/byte-file.js";
import { parseJsonAs } from "../checkpoint/json.js";
import type { JsonSchemaObject } from "../datasets/index.js";

export const OUTPUT_SCHEMA_FILE = "output_schema.json";

/** The schema of a model; undefined where it was not tuned by one. @throws CheckpointError when it is no object. */
export async function readOutputSchema(folder: string): Promise<JsonSchemaObject | undefined> {
  // a model may be a file
  if (!(await stat(folder)).isDirectory()) return undefined;
  const path = join(folder, OUTPUT_SCHEMA_FILE);
  const bytes = await ifThere(readFile(path), path);
  return bytes && parseJsonAs(bytes, z.record(z.string(), z.unknown()), path);
}
