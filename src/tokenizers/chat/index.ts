/** @file Chat templates: from messages to the text that a model was trained on. */

export {
  type ChatContentPart,
  type ChatMessage,
  type ChatSpan,
  ChatTemplate,
  type RenderChatOptions,
} from "./chat-template.js";
export {
  type CompletionSpan,
  completionMask,
  type RenderCompletionsOptions,
  type RenderedCompletions,
  renderCompletions,
} from "./completions.js";
export { readChatTemplates } from "./read-chat-template.js";
export { renderChat } from "./render-chat.js";
