/** @file One process of the benchmarks of whole tuning runs: a run as a user starts it, and what it predicted and took. */

import { rm } from "node:fs/promises";
import { runTune } from "../../src/pipeline/tuning/index.js";
import type { TuneRun } from "./tune-run.js";

const { config, memoryBytes } = JSON.parse(process.argv[2]!) as TuneRun;
const report = await runTune(config, memoryBytes === undefined ? {} : { memoryBytes });
await rm(config.out!, { recursive: true });
const { summary, plan, memory, seconds, numTrainable } = report;
console.log(JSON.stringify({ summary, plan, memory, seconds, numTrainable }));
process.exit(0);
