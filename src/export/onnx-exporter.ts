/** @file Export to one ONNX file. */

import { existsSync } from "node:fs";
import { type Exporter, precisions } from "./exporter.js";
import { readOnnxWeights, runOnnx, writeOnnx } from "./onnx.js";

export const onnx: Exporter = {
  name: "onnx",
  about: "one graph from token ids to logits, for ONNX Runtime in any language",
  dtypes: { float32: precisions.float32, float16: precisions.float16 },
  writes: "merged",
  async write({ model, parameters }, target, { dtype, cache }) {
    const signature = await writeOnnx(target, model, parameters, { dtype: dtype as "float32" | "float16", cache });
    return {
      files: [target, `${target}.data`].filter(existsSync),
      weights: () => readOnnxWeights(target),
      logits: (runtime, input) => runOnnx(runtime, target, model, signature, input),
    };
  },
};
