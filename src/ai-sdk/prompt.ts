/** @file Prompts of the AI SDK as messages of a chat. */

import type { LanguageModelV3Message, LanguageModelV3Prompt, LanguageModelV3ToolResultPart } from "@ai-sdk/provider";
import { UnsupportedError } from "../base/errors.js";
import type { ChatTurn } from "../server/openai/service.js";

type Part = Exclude<LanguageModelV3Message["content"], string>[number];

/**
 * Messages as chat templates know them: parts of text joined by line breaks, each result of a tool a message of its own.
 * @throws UnsupportedError for files, and for tools that a provider runs.
 */
export function chatTurnsOf(prompt: LanguageModelV3Prompt): ChatTurn[] {
  return prompt.flatMap((message, i) => turnsOf(message, `prompt.${i}`));
}

function turnsOf(message: LanguageModelV3Message, at: string): ChatTurn[] {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: message.content }];
    case "user":
      return [{ role: "user", content: textOf(message.content, at) }];
    case "assistant":
      return [assistantTurn(message.content, at)];
    case "tool":
      return message.content.map((part) => {
        if (part.type !== "tool-result") throw unsupported(part, at);
        const { toolCallId, toolName } = part;
        return { role: "tool", content: resultText(part, at), tool_call_id: toolCallId, name: toolName };
      });
  }
}

function assistantTurn(parts: Extract<LanguageModelV3Message, { role: "assistant" }>["content"], at: string): ChatTurn {
  const known = ["text", "reasoning", "tool-call"];
  const other = parts.find(({ type }) => !known.includes(type));
  if (other) throw unsupported(other, at);
  const reasoning = parts.flatMap((part) => (part.type === "reasoning" ? [part.text] : [])).join("\n");
  const calls = parts.flatMap((part) => {
    if (part.type !== "tool-call") return [];
    const { toolCallId: id, toolName: name, input } = part;
    return [{ id, type: "function", function: { name, arguments: input } }];
  });
  return {
    role: "assistant",
    content: textOf(
      parts.filter(({ type }) => type === "text"),
      at,
    ),
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function textOf(parts: readonly Part[], at: string): string {
  return parts
    .map((part) => {
      if (part.type === "text") return part.text;
      throw unsupported(part, at);
    })
    .join("\n");
}

/** What a tool gave, as the model reads it. */
function resultText({ output }: LanguageModelV3ToolResultPart, at: string): string {
  switch (output.type) {
    case "text":
    case "error-text":
      return output.value;
    case "json":
    case "error-json":
      return JSON.stringify(output.value);
    case "execution-denied":
      return output.reason ?? "The user denied the call.";
    case "content":
      return output.value
        .map((part) => {
          if (part.type === "text") return part.text;
          throw unsupported(part, at);
        })
        .join("\n");
  }
}

function unsupported({ type }: { readonly type: string }, at: string): UnsupportedError {
  return new UnsupportedError(
    `${at}: a part of the type ${type} cannot be read; models here take text, calls of tools and their results`,
  );
}
