/** @file Messages of chats, and how they are handed to chat templates. */

import { z } from "zod";
import { ApiError } from "../errors.js";
import type { ChatTurn } from "../service.js";

const textPart = z.strictObject({
  type: z.literal("text", { error: "only text is supported; images, audio and files are not" }),
  text: z.string(),
});
const content = z.union([z.string(), z.array(textPart).min(1)], {
  error: (issue) =>
    Array.isArray(issue.input)
      ? 'expected parts { "type": "text", "text": … }; images, audio and files are not supported'
      : "expected a string or a list of text parts",
});
const name = z.string().min(1).optional();
const toolCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
});
const nothing = z.null().optional();

const messageSchema = z.discriminatedUnion(
  "role",
  [
    z.strictObject({ role: z.literal(["system", "developer", "user"]), content, name }),
    z.strictObject({
      role: z.literal("assistant"),
      content: content.nullish(),
      name,
      tool_calls: z.array(toolCall).nullish(),
      reasoning_content: z.string().nullish(),
      // parts of OpenAI's own answers, which clients send back as they came
      refusal: z.string().nullish(),
      annotations: z.array(z.unknown()).max(0).nullish(),
      audio: nothing,
      function_call: nothing,
    }),
    z.strictObject({ role: z.literal("tool"), content, tool_call_id: z.string().min(1), name }),
  ],
  { error: "expected a message with the role system, developer, user, assistant or tool" },
);

export const messagesSchema = z.array(messageSchema).min(1, "expected at least one message");
type Message = z.output<typeof messageSchema>;

/**
 * Messages as templates know them: parts of text joined by line breaks, `developer` as `system`, arguments of calls as
 * objects.
 * @throws ApiError when a call's arguments are no JSON object.
 */
export function chatTurns(messages: readonly Message[]): ChatTurn[] {
  return messages.map((message, i) => {
    const named = message.name === undefined ? {} : { name: message.name };
    if (message.role === "tool") {
      return { role: "tool", content: textOf(message.content), tool_call_id: message.tool_call_id, ...named };
    }
    if (message.role !== "assistant") {
      const role = message.role === "developer" ? "system" : message.role;
      return { role, content: textOf(message.content), ...named };
    }
    const { content: written, refusal, tool_calls, reasoning_content } = message;
    return {
      role: "assistant",
      content: textOf(written ?? refusal ?? ""),
      ...named,
      ...(reasoning_content && { reasoning_content }),
      ...(tool_calls?.length && {
        tool_calls: tool_calls.map((call, j) => ({
          ...call,
          function: {
            name: call.function.name,
            arguments: argumentsOf(call.function.arguments, `messages.${i}.tool_calls.${j}.function.arguments`),
          },
        })),
      }),
    };
  });
}

const textOf = (written: z.output<typeof content>): string =>
  typeof written === "string" ? written : written.map(({ text }) => text).join("\n");

function argumentsOf(text: string, param: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // said below
  }
  throw new ApiError(400, `${param}: expected a JSON object as text, got ${JSON.stringify(text.slice(0, 80))}`, {
    code: "invalid_value",
    param,
  });
}
