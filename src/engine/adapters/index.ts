/** @file Adapters per request. */
export type { AdapterUpdates } from "./adapter.js";
export type { AdapterOptions, AdapterStatus } from "./adapters.js";
