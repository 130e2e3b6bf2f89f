/** @file A prompt and its completion, as two texts or as two lists of messages. */

import { z } from "zod";
import type { ExampleBody } from "../example.js";
import type { DataFormat } from "../format.js";
import { chatOf, message } from "./messages.js";
import { toolsField } from "./tool-fields.js";

const side = z.union([z.string(), z.array(message)]);
const schema = z.strictObject({ prompt: side, completion: side, tools: toolsField.optional() });

/** Texts are joined as they are, without a chat template; of messages only the completion's are learned. */
export const promptCompletion: DataFormat = {
  name: "prompt-completion",
  fields: Object.keys(schema.shape),
  schema: schema.transform(({ prompt, completion, tools = [] }, context): ExampleBody => {
    if (typeof prompt === "string" && typeof completion === "string") {
      if (tools.length === 0) return { kind: "completion", prompt, completion };
      context.addIssue({ code: "custom", path: ["tools"], message: "tools need prompts that are lists of messages" });
      return z.NEVER;
    }
    if (typeof prompt === "string" || typeof completion === "string") {
      context.addIssue({
        code: "custom",
        path: ["completion"],
        message: "prompt and completion must both be strings or both lists of messages",
      });
      return z.NEVER;
    }
    const read = prompt.map((entry) => (entry.role === "assistant" ? { ...entry, weight: 0 as const } : entry));
    return chatOf([...read, ...completion], tools);
  }),
  recognise: ({ prompt, completion }) =>
    prompt !== undefined && completion !== undefined ? "has prompt and completion" : undefined,
};
