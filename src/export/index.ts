/** @file Models as files for other programs. */
import { gguf } from "./gguf.js";
import { onnx } from "./onnx-exporter.js";
import { peft } from "./peft.js";
import { safetensors } from "./safetensors.js";

/** Formats by name. Adding one is its file and a line here; `test/conformance/exporters.test.ts` then tests it. */
export const exporters = { safetensors, gguf, onnx, peft } as const;
export type ExportFormat = keyof typeof exporters;

export type { Exporter, ExportOptions, ExportSource, ReadBack } from "./exporter.js";
export { type OnnxOptions, readOnnxWeights, runOnnx, writeOnnx } from "./onnx.js";
export { type OnnxGraphOptions, onnxGraph } from "./onnx-graph.js";
export { type ExportReport, type ExportRequest, exportModel } from "./parity.js";
export { loadTrainingStep, type TrainingStep, type TrainingStepOptions, writeTrainingStep } from "./training-step.js";
export { type CheckOptions, checkTrainingStep, type StepComparison } from "./training-step-check.js";
