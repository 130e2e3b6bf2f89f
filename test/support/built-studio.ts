/** @file The Studio's page, built from the sources as they are. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";
import { readStudioAssets } from "../../src/server/adapters/node.js";
import type { Assets } from "../../src/server/studio/assets.js";

const configFile = fileURLToPath(new URL("../../studio/vite.config.ts", import.meta.url));

/** Takes a second or two. */
export async function buildStudio(): Promise<Assets> {
  const outDir = await mkdtemp(join(tmpdir(), "tessera-page-"));
  try {
    await build({ configFile, logLevel: "warn", build: { outDir, emptyOutDir: true } });
    return await readStudioAssets(pathToFileURL(outDir + sep));
  } finally {
    await rm(outDir, { recursive: true });
  }
}
