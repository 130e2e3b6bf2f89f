/** @file The chat template for models that bring none: headings in plain words, and the end token after each answer. */

import { ConfigError } from "../../base/errors.js";
import { ChatTemplate, type Tokenizer } from "../../tokenizers/index.js";
import type { ChatStyle } from "../example.js";

/** Ids that a model expects around a document. */
export interface DocumentMarks {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

const headings: Readonly<Record<ChatStyle, Readonly<Record<string, string>>>> = {
  conversation: { system: "System", user: "User", assistant: "Assistant" },
  instruction: { system: "System", user: "Instruction", assistant: "Response" },
};

/**
 * `### User:`, a line end, the message, an empty line, and so on; an instruction has `### Instruction:` and `### Response:`. The
 * marks of the model stand before the whole and after each answer. A tuned model keeps it as its chat template.
 * @throws ConfigError when the model has no end token, or its marks are no special tokens, which text could not hold.
 */
export function plainTemplate(style: ChatStyle, tokenizer: Tokenizer, { prefix, suffix }: DocumentMarks): ChatTemplate {
  const token = (id: number): string => {
    const content = tokenizer.token(id);
    if (content !== undefined && tokenizer.specialTokens.get(content) === id) return content;
    throw new ConfigError(
      `chats for a model without a chat template: its mark ${id} (${content ?? "unknown"}) is no special token; pass a template`,
    );
  };
  if (suffix.length === 0) {
    throw new ConfigError("chats for a model without a chat template need a token that ends an answer; pass marks");
  }
  const { system, user, assistant } = headings[style];
  const source = `{{ bos_token }}{% for m in messages %}{% if not loop.first %}{{ '\\n\\n' }}{% endif %}{% if m.role == 'assistant' %}### ${assistant}:
{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}{% elif m.role == 'user' %}### ${user}:
{{ m.content }}{% elif m.role == 'system' %}### ${system}:
{{ m.content }}{% else %}{{ raise_exception('a chat without the model\\'s own template cannot have the role ' + m.role) }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '\\n\\n### ${assistant}:\\n' }}{% endif %}`;
  return new ChatTemplate(source, {
    bos_token: prefix.map(token).join(""),
    eos_token: suffix.map(token).join(""),
  });
}
