/** @file OpenAI's messages: roles, text parts, tool calls, and `weight` 0 for answers that are only read. */

import { z } from "zod";
import type { ChatMessage } from "../../tokenizers/index.js";
import type { ChatBody, ExampleBody, ToolSchema } from "../example.js";
import type { DataFormat } from "../format.js";
import { toolCalls, toolsField } from "./tool-fields.js";

const textPart = z.strictObject({ type: z.literal("text"), text: z.string() });

/** Parts are joined: many templates know only strings. */
const content = z.union([
  z.string(),
  z.array(textPart).transform((parts) => parts.map(({ text }) => text).join("")),
  z.null().transform(() => ""),
]);

const weight = z.union([z.literal(0), z.literal(1)]).nullish();
const textMessage = { content, name: z.string().nullish() };

export const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.enum(["system", "developer", "user"]), ...textMessage }),
  z.strictObject({ role: z.literal("tool"), ...textMessage, tool_call_id: z.string().nullish() }),
  z.strictObject({
    role: z.literal("assistant"),
    ...textMessage,
    content: content.optional(),
    tool_calls: toolCalls.nullish(),
    /** What a reasoning model thought before it answered. */
    reasoning_content: z.string().nullish(),
    weight,
  }),
]);

/** A message as templates read it: absent fields are absent, `developer` is `system`. */
export function templateMessage({ role, content = "", ...rest }: z.infer<typeof message>): ChatMessage {
  const given = Object.entries(rest).filter(
    ([key, value]) => key !== "weight" && value !== null && value !== undefined,
  );
  return { role: role === "developer" ? "system" : role, content, ...Object.fromEntries(given) };
}

/** A chat of messages, in which assistant messages of weight 0 are not learned. */
export function chatOf(messages: readonly z.infer<typeof message>[], tools: readonly ToolSchema[] = []): ChatBody {
  const unlearned = [...messages.keys()].filter((i) => "weight" in messages[i]! && messages[i]!.weight === 0);
  return {
    kind: "chat",
    messages: messages.map(templateMessage),
    ...(tools.length > 0 && { tools }),
    ...(unlearned.length > 0 && { unlearned }),
    style: "conversation",
  };
}

const schema = z.strictObject({ messages: z.array(message), tools: toolsField.optional() });

export const messages: DataFormat = {
  name: "messages",
  fields: Object.keys(schema.shape),
  schema: schema.transform(({ messages, tools }): ExampleBody => chatOf(messages, tools)),
  recognise: (row) => (Array.isArray(row.messages) ? "has messages" : undefined),
};
