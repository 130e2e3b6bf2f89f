/** @file Peak memory of a process. */

import { readFileSync } from "node:fs";

/** Linux's own high-water mark where there is one; elsewhere the same figure by getrusage. */
export function peakBytes(): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

/** Of Node.js and the modules, before anything is loaded. */
export const baselineBytes = peakBytes();
