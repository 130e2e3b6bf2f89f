/** @file Tuning methods: what is trained of a model, where new parameters enter it, and how they are kept. */
export {
  type Adapter,
  type AdapterOptions,
  adapterSpecs,
  attach,
  createAdapter,
  merge,
  type Tuning,
  tuningOf,
  unmerge,
} from "./adapter.js";
export { type LoadAdapterOptions, loadAdapter, type SaveAdapterOptions, saveAdapter } from "./adapter-folder.js";
export { type ParameterGroup, parameterGroups, parametersNamed } from "./groups.js";
export { type AdapterContext, type AdapterParameter, type LinearAdapter, linearAdapter } from "./linear-adapter.js";
export { lowRankUpdates } from "./low-rank.js";
export type { AdapterFormat, Applied, Merging, StartOptions, TuningMethod } from "./method.js";
export { type MethodName, methods } from "./methods/index.js";
export { type Selection, selection } from "./selection.js";
export { withVirtualTokens } from "./virtual-tokens.js";
