/** @file What makes a run repeatable: everything that its result follows from, and hashes of the result. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { buildsSchema } from "./builds.js";
import { tuneConfigSchema } from "./tune-config.js";
import { tunePlanSchema } from "./tune-plan.js";

export const manifestSchema = z.object({
  version: z.string(),
  settings: tuneConfigSchema,
  /** SHA-256 of the base's tensors and of the examples. */
  baseHash: z.string(),
  dataHash: z.string(),
  plan: tunePlanSchema,
  threads: z.int(),
  /** Builds that decide the last bits. */
  builds: buildsSchema,
  /** Loss of every step. */
  losses: z.array(z.number()),
  /** SHA-256 of files of the run, by path. */
  files: z.record(z.string(), z.string()),
});

export type Manifest = z.infer<typeof manifestSchema>;

export const MANIFEST_VERSION = "1";

/** Hashes of the weights below these folders of a run, by path with forward slashes. */
export async function weightHashes(root: string, folders: readonly string[]): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const folder of folders) {
    const names = await readdir(join(root, folder)).catch(() => []);
    for (const name of names.filter((name) => name.endsWith(".safetensors")).sort()) {
      hashes[`${folder}/${name}`] = await fileHash(join(root, folder, name));
    }
  }
  return hashes;
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}
