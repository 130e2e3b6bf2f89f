/** @file Compiles the sources and the Studio's page once for all tests that start processes: a loader costs each process seconds. */

import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "vite";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Types are checked elsewhere: `npm run typecheck`. */
const options = [
  ...["-p", join(root, "tsconfig.build.json"), "--noCheck", "--declaration", "false"],
  ...["--sourceMap", "false", "--inlineSourceMap"],
];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const outDir = project.config.env.TESSERA_COMPILED!;
  await compile(outDir);
  project.onTestsRerun(() => compile(outDir));
  return () => rm(outDir, { recursive: true });
}

async function compile(outDir: string): Promise<void> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const compiling = promisify(execFile)(process.execPath, [tsc, ...options, "--outDir", outDir]);
  const configFile = join(root, "studio", "vite.config.ts");
  await build({ configFile, logLevel: "warn", build: { outDir: join(outDir, "studio"), emptyOutDir: true } });
  await compiling;
}
