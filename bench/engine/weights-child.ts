/** @file One process of the weights benchmark: weights of a model folder made ready in one way; tells their size, the time and the peak memory. */

import { Engine, type WeightFormat, Weights } from "../../src/engine/index.js";
import { loadModel, openModel } from "../../src/presets/index.js";
import { Runtime } from "../../src/runtime/index.js";
import { peakBytes } from "../peak.js";

const [folder, format, way] = process.argv.slice(2) as [string, WeightFormat, "streamed" | "whole" | "served"];
const start = performance.now();
await using opened = way === "whole" ? undefined : await openModel(folder);
const { model, parameters } = opened ?? (await loadModel(folder));
const weights = await Weights.pack(model, parameters, format);
const seconds = (performance.now() - start) / 1000;
if (way === "served") {
  await using runtime = await Runtime.open();
  await using engine = await Engine.create(runtime, model, weights, { contextLength: 64, maxSequences: 1 });
  for await (const _ of engine.generate([1, 2, 3], { maxTokens: 4 }));
}
console.log(JSON.stringify({ seconds, bytes: weights.bytes, peakBytes: peakBytes() }));
