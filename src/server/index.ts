/** @file The local server: public names. */
export { type ListenOptions, listen, type RunningServer, readPageScript } from "./adapters/node.js";
export { type AppOptions, createApp } from "./app.js";
export * from "./openai/index.js";
export type { KnowledgeService, ModelCard, TextEnd, TextOptions } from "./service.js";
export { pickTopics } from "./topics.js";
export type {
  AboutResponse,
  CompletionEvent,
  DocumentResponse,
  ErrorResponse,
  Passage,
  SearchResponse,
} from "./wire.js";
