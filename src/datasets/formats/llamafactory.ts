/** @file LLaMA-Factory's second version: messages of parts with `value`, with reasoning and calls among the parts, and `loss_weight`. */

import { z } from "zod";
import type { ChatMessage } from "../../tokenizers/index.js";
import type { ExampleBody } from "../example.js";
import type { DataFormat } from "../format.js";
import { callsText, toolsField } from "./tool-fields.js";

const part = z.strictObject({ type: z.enum(["text", "reasoning", "tool_call"]), value: z.string() });

const message = z
  .strictObject({
    role: z.enum(["system", "user", "assistant", "tool"]),
    content: z.array(part),
    loss_weight: z.union([z.literal(0), z.literal(1)]).nullish(),
  })
  .transform(({ role, content, loss_weight }, context) => {
    const textOf = (type: string): string =>
      content.flatMap((part) => (part.type === type ? [part.value] : [])).join("");
    const refuse = (message: string, ...path: (string | number)[]): void =>
      context.addIssue({ code: "custom", path, message });
    if (role !== "assistant") {
      if (loss_weight === 1) refuse("only the assistant's messages can be learned", "loss_weight");
      for (const [i, { type }] of content.entries()) {
        if (type !== "text")
          refuse(`only the assistant's messages can have a part of type ${type}`, "content", i, "type");
      }
      return { message: { role, content: textOf("text") } satisfies ChatMessage, isLearned: false };
    }
    const calls = content.flatMap(({ type, value }, i) => {
      const parsed = type === "tool_call" ? callsText.safeParse(value) : undefined;
      if (parsed?.success === false) refuse("expected the JSON of a call", "content", i, "value");
      return parsed?.data ?? [];
    });
    const reasoning = textOf("reasoning");
    const chat: ChatMessage = {
      role,
      content: textOf("text"),
      ...(reasoning !== "" && { reasoning_content: reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    };
    return { message: chat, isLearned: loss_weight !== 0 };
  });

const schema = z.strictObject({ messages: z.array(message), tools: toolsField.optional() });

function toChat({ messages, tools = [] }: z.infer<typeof schema>): ExampleBody {
  const unlearned = [...messages.keys()].filter((i) => {
    const { message, isLearned } = messages[i]!;
    return message.role === "assistant" && !isLearned;
  });
  return {
    kind: "chat",
    messages: messages.map(({ message }) => message),
    ...(tools.length > 0 && { tools }),
    ...(unlearned.length > 0 && { unlearned }),
    style: "conversation",
  };
}

export const llamafactory: DataFormat = {
  name: "llamafactory",
  fields: Object.keys(schema.shape),
  schema: schema.transform(toChat),
  recognise: ({ messages }) => {
    const first = z.looseObject({ content: z.array(z.looseObject({ value: z.string() })).min(1) });
    return z.array(first).min(1).safeParse(messages).success ? "has messages whose parts have value" : undefined;
  },
};
