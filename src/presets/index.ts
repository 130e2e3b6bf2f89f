/** @file Wiring and defaults. */
export { type LoadedModel, loadModel } from "./load.js";
