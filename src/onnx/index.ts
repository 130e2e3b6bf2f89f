/** @file Graphs as ONNX models. */
export { lower } from "./lower.js";
export { encodeModel, type OnnxModel, type OnnxNode } from "./model.js";
