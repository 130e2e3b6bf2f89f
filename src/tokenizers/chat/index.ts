/** @file Chat templates: from messages to the text that a model was trained on. */

export {
  type ChatContentPart,
  type ChatMessage,
  type ChatSpan,
  ChatTemplate,
  type RenderChatOptions,
} from "./chat-template.js";
export { readChatTemplates } from "./read-chat-template.js";
export { completionMask, type RenderedCompletions, renderChat, renderCompletions } from "./render-chat.js";
