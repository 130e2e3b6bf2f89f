/** @file Tools and calls as text of the messages, for templates that know neither. */

import type { ChatMessage } from "../../tokenizers/index.js";
import type { ChatBody, ToolSchema } from "../example.js";

/** A call in the words that Hermes and Qwen models use. */
const calling = (call: unknown): string => `<tool_call>\n${JSON.stringify(call)}\n</tool_call>`;

/**
 * The chat with the tools' schemas at the end of the system message, calls in the assistant's text, and results as messages
 * of the user, neighbouring ones as one.
 */
export function toolsAsText({ messages, tools, unlearned, ...rest }: ChatBody): ChatBody {
  const written = messagesWith(messages, tools ?? []);
  // messages of the assistant stay in number and order
  const answers = (of: readonly ChatMessage[]): number[] => [...of.keys()].filter((i) => of[i]!.role === "assistant");
  const [before, after] = [answers(messages), answers(written)];
  return {
    ...rest,
    messages: written,
    ...(unlearned && { unlearned: unlearned.map((i) => after[before.indexOf(i)]!) }),
  };
}

function messagesWith(messages: readonly ChatMessage[], tools: readonly ToolSchema[]): ChatMessage[] {
  const [first, ...others] = messages;
  const hasSystem = first?.role === "system";
  const system = [hasSystem ? String(first.content) : "", tools.length > 0 ? described(tools) : ""].filter(
    (text) => text !== "",
  );
  const written: ChatMessage[] = system.length > 0 ? [{ role: "system", content: system.join("\n\n") }] : [];
  let isResult = false;
  for (const message of hasSystem ? others : messages) {
    const { tool_calls: calls, tool_call_id: _, ...rest } = message;
    const content = typeof message.content === "string" ? message.content : "";
    if (message.role !== "tool") {
      const called = Array.isArray(calls) ? calls.map((call: { function?: unknown }) => calling(call.function)) : [];
      written.push({ ...rest, content: [...(content === "" ? [] : [content]), ...called].join("\n") });
    } else {
      const result = `<tool_response>\n${content}\n</tool_response>`;
      const before = isResult ? written.pop() : undefined;
      written.push({ role: "user", content: before ? `${String(before.content)}\n${result}` : result });
    }
    isResult = message.role === "tool";
  }
  return written;
}

function described(tools: readonly ToolSchema[]): string {
  const schemas = tools.map((tool) => JSON.stringify(tool)).join("\n");
  return (
    "To call a function, write its name and arguments as JSON between <tool_call> and </tool_call>. " +
    `The functions:\n<tools>\n${schemas}\n</tools>`
  );
}
