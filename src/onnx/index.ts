/** @file Graphs as ONNX models. */
export { lower } from "./lower.js";
export { type ExternalData, encodeModel, type OnnxModel, type OnnxNode } from "./model.js";
export { readInitializers } from "./read.js";
