/** @file Wiring and defaults. */
export {
  type Inspection,
  type InspectOptions,
  inspectModel,
  type ServingMemory,
  type TuningMemory,
} from "./inspect.js";
export { type LoadedModel, type LoadOptions, loadModel } from "./load.js";
export { type EmbedOptions, embedTexts, type LoadedEncoder, loadEncoder } from "./load-encoder.js";
export { type SpectraOptions, tuningSpectra, type WeightSpectrum } from "./spectra.js";
