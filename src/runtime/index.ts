/** @file Programs on ONNX Runtime. */
export {
  type Backend,
  type BackendName,
  type Binding,
  backends,
  type DiskMemory,
  openDiskMemory,
} from "./backends/index.js";
export { type Feeds, Program, Runtime, type RuntimeOptions, type Signature } from "./program.js";
