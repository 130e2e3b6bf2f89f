/** @file Backends by name. Each loads its runtime only when it is opened. */

import type { Backend, BackendOptions } from "./backend.js";
import type { DiskMemory } from "./disk-memory.js";

export const backends = {
  native: async (options: BackendOptions): Promise<Backend> => (await import("./native.js")).openNative(options),
  binding: async (options: BackendOptions): Promise<Backend> => (await import("./binding.js")).openBinding(options),
  webgpu: async (options: BackendOptions): Promise<Backend> => (await import("./webgpu.js")).openWebGpu(options),
} as const;

/** @throws UnsupportedError on Windows. */
export const openDiskMemory = async (folder: string): Promise<DiskMemory> =>
  new (await import("./disk-memory.js")).DiskMemory(folder);

export type BackendName = keyof typeof backends;
export type {
  Backend,
  BackendOptions,
  Binding,
  BoundTensor,
  DeviceMemory,
  DeviceTensor,
  Session,
  SessionNames,
} from "./backend.js";
export type { DiskMemory } from "./disk-memory.js";
