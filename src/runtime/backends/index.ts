/** @file Backends by name. Each loads its runtime only when it is opened. */

import type { Backend, BackendOptions } from "./backend.js";

export const backends = {
  native: async (options: BackendOptions): Promise<Backend> => (await import("./native.js")).openNative(options),
  binding: async (options: BackendOptions): Promise<Backend> => (await import("./binding.js")).openBinding(options),
} as const;

export type BackendName = keyof typeof backends;
export type { Backend, BackendOptions, Binding, Session, SessionNames } from "./backend.js";
