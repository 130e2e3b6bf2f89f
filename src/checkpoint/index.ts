/** @file Bytes to named tensors and back. In a browser import `safetensors.js` alone: the rest needs Node's files. */

export { type Adapter, type AdapterConfig, readAdapter, writeAdapter } from "./adapter.js";
export {
  bestCheckpoint,
  Checkpoint,
  type CheckpointContents,
  type CheckpointLocation,
  listCheckpoints,
  loadCheckpoint,
  markBest,
  newestIntact,
  rollBack,
  saveCheckpoint,
} from "./folder.js";
export type { JsonValue } from "./json.js";
export { type Llama2cConfig, readLlama2c } from "./llama2c.js";
export { readModel, type StoredModel, writeModel } from "./model-folder.js";
export { encodeSafetensors, parseSafetensors } from "./safetensors.js";
export { openSafetensors, writeSafetensors } from "./safetensors-file.js";
export { openModelFolder } from "./sharded.js";
export type { TensorEntry, TensorSource } from "./tensor-source.js";
