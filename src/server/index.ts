/** @file The local servers: public names. */
export { type ListenOptions, listen, type RunningServer, readStudioAssets } from "./adapters/node.js";
export * from "./openai/index.js";
export { createStudioApp, type StudioAppOptions } from "./studio/app.js";
export type { Asset, Assets } from "./studio/assets.js";
export { LiveState } from "./studio/live-state.js";
export type { StudioService } from "./studio/service.js";
export type * from "./studio/wire/index.js";
export { pickTopics } from "./topics.js";
