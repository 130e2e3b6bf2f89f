/** @file Programs on ONNX Runtime. */
export {
  type Backend,
  type BackendName,
  type Binding,
  type BoundTensor,
  backends,
  type DeviceMemory,
  type DeviceTensor,
  type DiskMemory,
  openDiskMemory,
} from "./backends/index.js";
export { type BoundFeeds, type Feeds, Program, Runtime, type RuntimeOptions, type Signature } from "./program.js";
