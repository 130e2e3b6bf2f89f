/** @file The builds of what computes: they decide the last bits, and how fast. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { z } from "zod";

export const buildsSchema = z.object({
  tessera: z.string(),
  node: z.string(),
  onnxruntime: z.string(),
  platform: z.string(),
});

export function builds(): z.infer<typeof buildsSchema> {
  const require = createRequire(import.meta.url);
  const versionOf = (path: string): string => (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
  return {
    tessera: versionOf(new URL("../../../package.json", import.meta.url).pathname),
    node: process.version,
    onnxruntime: versionOf(require.resolve("onnxruntime-node/package.json")),
    platform: `${process.platform}-${process.arch}`,
  };
}
