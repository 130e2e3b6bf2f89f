/** @file Alpaca: an instruction, perhaps with an input, and the output (Taori et al. 2023; fields as LLaMA-Factory has them). */

import { z } from "zod";
import type { ChatMessage } from "../../tokenizers/index.js";
import type { ExampleBody } from "../example.js";
import type { DataFormat } from "../format.js";

const schema = z.strictObject({
  instruction: z.string(),
  input: z.string().nullish(),
  output: z.string(),
  system: z.string().nullish(),
  /** Earlier turns: what was asked and what was answered. Answers are learned too. */
  history: z.array(z.tuple([z.string(), z.string()])).nullish(),
});

function toChat({ instruction, input, output, system, history }: z.infer<typeof schema>): ExampleBody {
  const user = [instruction, input].filter((text) => text).join("\n");
  const turns = [...(history ?? []), [user, output] as const];
  const messages: ChatMessage[] = turns.flatMap(([asked, answered]) => [
    { role: "user", content: asked },
    { role: "assistant", content: answered },
  ]);
  if (system) messages.unshift({ role: "system", content: system });
  return { kind: "chat", messages, style: "instruction" };
}

/** The user's message is `instruction`, a line end, and `input` where there is one. */
export const alpaca: DataFormat = {
  name: "alpaca",
  fields: Object.keys(schema.shape),
  schema: schema.transform(toChat),
  recognise: ({ instruction, output }) =>
    instruction !== undefined && output !== undefined ? "has instruction and output" : undefined,
};
