/** @file Wiring and defaults. */
export { type CrossEncoderOptions, loadCrossEncoder } from "./cross-encoder.js";
export { type GenerationConfig, generationConfigOf } from "./generation-config.js";
export {
  type Inspection,
  type InspectOptions,
  inspectModel,
  type ServingMemory,
  type TuningMemory,
} from "./inspect.js";
export {
  type LoadedModel,
  type LoadOptions,
  loadModel,
  type OpenedModel,
  openModel,
  type TextModel,
} from "./load.js";
export { type EmbedOptions, embedTexts, type LoadedEncoder, loadEncoder } from "./load-encoder.js";
export { type SpectraOptions, tuningSpectra, type WeightSpectrum } from "./spectra.js";
