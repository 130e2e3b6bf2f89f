/** @file Parameter-efficient fine-tuning: adapters on frozen models. */
export {
  type Adapter,
  type AdapterOptions,
  adapterSpecs,
  attach,
  createAdapter,
  loadAdapter,
  merge,
  type SaveAdapterOptions,
  saveAdapter,
  unmerge,
} from "./adapter.js";
export type { AdapterContext, AdapterParameter, PeftMethod } from "./method.js";
export { type MethodName, methods } from "./methods/index.js";
