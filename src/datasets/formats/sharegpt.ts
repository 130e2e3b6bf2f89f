/** @file ShareGPT: conversations of `from` and `value`, with the roles that LLaMA-Factory has. */

import { z } from "zod";
import type { ChatMessage } from "../../tokenizers/index.js";
import type { ExampleBody } from "../example.js";
import type { DataFormat } from "../format.js";
import { callsText, toolsField } from "./tool-fields.js";

const roles: Readonly<Record<string, string>> = {
  system: "system",
  human: "user",
  user: "user",
  gpt: "assistant",
  assistant: "assistant",
  function_call: "assistant",
  observation: "tool",
  tool: "tool",
};

const turn = z
  .strictObject({ from: z.enum(Object.keys(roles)), value: z.string() })
  .transform(({ from, value }, context): ChatMessage => {
    const role = roles[from]!;
    if (from !== "function_call") return { role, content: value };
    const calls = callsText.safeParse(value);
    if (calls.success) return { role, content: "", tool_calls: calls.data };
    context.addIssue({
      code: "custom",
      path: ["value"],
      message: 'expected the JSON of a call, such as {"name": "f", "arguments": {}}, or of a list of calls',
    });
    return z.NEVER;
  });

const schema = z.strictObject({
  conversations: z.array(turn),
  system: z.string().nullish(),
  tools: toolsField.optional(),
});

function toChat({ conversations, system, tools = [] }: z.infer<typeof schema>): ExampleBody {
  // as in LLaMA-Factory, a system turn of the conversation goes before the column
  const isGiven = !system || conversations[0]?.role === "system";
  const messages = isGiven ? conversations : [{ role: "system", content: system }, ...conversations];
  return { kind: "chat", messages, ...(tools.length > 0 && { tools }), style: "conversation" };
}

export const sharegpt: DataFormat = {
  name: "sharegpt",
  fields: Object.keys(schema.shape),
  schema: schema.transform(toChat),
  recognise: ({ conversations }) => {
    const first: unknown = Array.isArray(conversations) ? conversations[0] : undefined;
    const isTurn = typeof first === "object" && first !== null && "from" in first;
    return isTurn ? "has conversations with from" : undefined;
  },
};
