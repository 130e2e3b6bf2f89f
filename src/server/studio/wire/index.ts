/** @file What goes over HTTP between the Studio's server and its page. */

export type * from "./ask.js";
export type * from "./documents.js";
export type * from "./errors.js";
export type * from "./models.js";
export { partNames } from "./models.js";
export type * from "./plan.js";
export type * from "./preferences.js";
export type * from "./runs.js";
export type * from "./state.js";
export { jobStages } from "./state.js";
export type * from "./write.js";
