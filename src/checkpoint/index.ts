/** @file Bytes to named tensors and back. In a browser import `safetensors.js` alone: the rest needs Node's files. */

export { type Adapter, type AdapterConfig, readAdapter, writeAdapter } from "./adapter.js";
export { createFolder, makeFolder, writeDurably } from "./atomic.js";
export { type CastType, castFloats } from "./cast.js";
export type { StoredType } from "./float32.js";
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
export { architectures as ggufArchitectures } from "./gguf/architectures/index.js";
export type { GgufTensor } from "./gguf/header.js";
export type { GgufValue, GgufValueType } from "./gguf/metadata.js";
export { type GgufModel, readGgufModel, type WriteGgufModelOptions, writeGgufModel } from "./gguf/model.js";
export { type GgufFile, readGguf } from "./gguf/read.js";
export { type GgmlTypeName, ggmlTypes, type WritableGgmlType } from "./gguf/types/index.js";
export { type GgufContents, type GgufTensorInput, writeGguf } from "./gguf/write.js";
export {
  type PulledModel,
  type PullOptions,
  type PullProgress,
  pull,
  pullDataset,
  resolveDataset,
  resolveModel,
} from "./hub.js";
export type { JsonValue } from "./json.js";
export { type Llama2cConfig, readLlama2c } from "./llama2c.js";
export {
  type ReadModelOptions,
  readModel,
  type StoredModel,
  type WriteModelOptions,
  writeModel,
} from "./model-folder.js";
export { type ModelHeader, readModelHeader, type StoredTensor } from "./model-header.js";
export { type ModelSource, onlyGguf, openModelSource } from "./model-source.js";
export { type ModuleFiles, readModuleFiles } from "./module-files.js";
export { type Float32Source, findNonFinite, type NonFinite } from "./non-finite.js";
export { encodeSafetensors, parseSafetensors } from "./safetensors.js";
export { openSafetensors, writeSafetensors } from "./safetensors-file.js";
export { openModelFolder } from "./sharded.js";
export type { ModelTensors, TensorEntry, TensorSource } from "./tensor-source.js";
