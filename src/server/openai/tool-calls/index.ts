/** @file The registry of formats in which models write tool calls. */

import { hermes } from "./hermes.js";
import { llama3 } from "./llama3.js";
import { mistral } from "./mistral.js";

export type { AnswerDelta, CallForm, ToolCallFormat, ToolCallParser } from "./format.js";

/** Formats by name. Adding one is its file and a line here. */
export const toolCallFormats = { hermes, llama3, mistral } as const;

export type ToolCallFormatName = keyof typeof toolCallFormats;

/** The format that a chat template teaches, or undefined where none is known. */
export function toolCallFormatOf(template: string): ToolCallFormatName | undefined {
  const names = Object.keys(toolCallFormats) as ToolCallFormatName[];
  return names.find((name) => toolCallFormats[name].matches(template));
}
