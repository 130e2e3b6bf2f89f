/** @file Whether there is a WebGPU adapter to test on. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Why WebGPU cannot be used; undefined where it can. Asked in a process of its own, since a driver may bring it down. */
export function whyNoWebGpu(): string | undefined {
  const child = fileURLToPath(new URL("webgpu-child.ts", import.meta.url));
  const options = { encoding: "utf8", timeout: 30_000 } as const;
  const { status, signal, stdout } = spawnSync(process.execPath, ["--import", "tsx", child], options);
  if (status !== 0) return `opening it ended a process with ${signal ?? status}`;
  return stdout.trim() === "" ? undefined : stdout.trim();
}
