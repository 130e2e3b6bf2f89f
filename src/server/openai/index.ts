/** @file OpenAI's HTTP interface: public names. */

export { createOpenAiApp, type OpenAiApp, type OpenAiAppOptions } from "./app.js";
export type { CallRecord } from "./call.js";
export { ApiError, type ApiErrorBody, type ApiErrorDetails, type ApiStatus } from "./errors.js";
export { type ApiKey, parseApiKeys } from "./keys.js";
export type { EventLoopDelay } from "./metrics/server-metrics.js";
export { type SamplingGiven, samplingRequest } from "./sampling-request.js";
export type {
  AnswerForm,
  ChatRequest,
  ChatTurn,
  EmbeddingRequest,
  Embeddings,
  EngineState,
  Generation,
  LoadAdapterRequest,
  Prompt,
  RenderedChat,
  SamplingRequest,
  ServedModel,
  TextConstraint,
  TextPiece,
  TextRequest,
  TextService,
  TokenChance,
  ToolDefinition,
} from "./service.js";
export {
  type ToolCallFormat,
  type ToolCallFormatName,
  type ToolCallParser,
  toolCallFormats,
} from "./tool-calls/index.js";
export { createUpstream, type Upstream, type UpstreamOptions } from "./upstream.js";
