/** @file One process of the load benchmark: loads a model folder and tells its time and peak memory. */

import { readModel } from "../../src/checkpoint/index.js";
import { peakBytes } from "../peak.js";

const start = performance.now();
const { tensors } = await readModel(process.argv[2]!);
const seconds = (performance.now() - start) / 1000;
const bytes = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);

console.log(JSON.stringify({ peakBytes: peakBytes(), seconds, bytes }));
