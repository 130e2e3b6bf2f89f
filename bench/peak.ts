/** @file Peak memory of a process, and what the compiler of the benchmarks' sources adds to it. */

import { readFileSync } from "node:fs";
import { runJson } from "./bench.js";

/** Linux's high-water mark where there is one; elsewhere the same figure by getrusage. */
export function peakBytes(): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

/** What tsx adds to the peak of a process. */
export async function loaderBytes(): Promise<number> {
  const script =
    'console.log(Number(/VmHWM:\\s+(\\d+)/.exec(require("fs").readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024)';
  const [alone, withLoader] = [
    await runJson<number>(process.execPath, ["-e", script]),
    await runJson<number>(process.execPath, ["--import", "tsx", "-e", script]),
  ];
  return Math.max(0, withLoader - alone);
}
