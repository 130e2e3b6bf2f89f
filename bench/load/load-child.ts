/** @file One process of the load benchmark: loads a model folder and tells its time and peak memory. */

import { readFileSync } from "node:fs";
import { readModel } from "../../src/checkpoint/index.js";

const start = performance.now();
const { tensors } = await readModel(process.argv[2]!);
const seconds = (performance.now() - start) / 1000;
const bytes = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);

/** Linux's high-water mark where there is one; elsewhere the same figure by getrusage. */
function peakBytes(): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

console.log(JSON.stringify({ peakBytes: peakBytes(), seconds, bytes }));
