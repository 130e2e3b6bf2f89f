/** @file Examples to token ids, with marks on what is learned. */

import { DataError } from "../../base/errors.js";
import { type ChatMessage, type ChatTemplate, renderCompletions, type Tokenizer } from "../../tokenizers/index.js";
import type { ChatBody, ChatStyle, ExampleBody } from "../example.js";
import { type DocumentMarks, plainTemplate } from "./plain-template.js";
import { encodeTargets, type TargetTokens } from "./token-targets.js";
import { toolsAsText } from "./tools-as-text.js";

/**
 * What is learned of a chat or a completion: what the assistant wrote, only its last message, or every token. Of plain text every
 * token is.
 */
export type LossOn = "completions" | "last" | "all";

export interface RenderOptions {
  readonly tokenizer: Tokenizer;
  /** Ids around texts and completions; a chat template writes its own. */
  readonly marks: DocumentMarks;
  /** The model's chat template. Default: headings in plain words (`plainTemplate`). */
  readonly template?: ChatTemplate;
  /** Default "completions". */
  readonly lossOn?: LossOn;
  /** How tools reach the model: by its template, or written into the messages. Default "template". */
  readonly tools?: "template" | "text";
  /** More variables for the template, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The day that templates write into a chat. Default: now. Pass one to get the same tokens on another day. */
  readonly now?: Date;
}

/** An example as a model sees it. */
export interface RenderedExample extends TargetTokens {
  readonly text: string;
}

export class ExampleRenderer {
  readonly #options: RenderOptions;
  readonly #now: Date;
  readonly #plain = new Map<ChatStyle, ChatTemplate>();

  constructor(options: RenderOptions) {
    this.#options = options;
    this.#now = options.now ?? new Date();
  }

  /** The template that chats of a style are written with. @throws ConfigError when the model has none and no end token. */
  templateFor(style: ChatStyle): ChatTemplate {
    const { template, tokenizer, marks } = this.#options;
    const found = template ?? this.#plain.get(style) ?? plainTemplate(style, tokenizer, marks);
    this.#plain.set(style, found);
    return found;
  }

  /**
   * Text and ids. Token 0 has no token before it that could predict it, whatever its mark.
   * @throws DataError when the template refuses the chat, or what is learned of it cannot be told.
   */
  render(body: ExampleBody): RenderedExample {
    if (body.kind === "chat") return this.#chat(body);
    const prompt = body.kind === "text" ? "" : body.prompt;
    const text = body.kind === "text" ? body.text : prompt + body.completion;
    const { tokenizer, marks, lossOn } = this.#options;
    const start = body.kind === "text" || lossOn === "all" ? 0 : prompt.length;
    const { ids, targets } = encodeTargets(tokenizer, text, [{ start, end: text.length }], {});
    const { prefix, suffix } = marks;
    return {
      text,
      ids: Int32Array.from([...prefix, ...ids, ...suffix]),
      targets: Uint8Array.from([...prefix.map(() => (start === 0 ? 1 : 0)), ...targets, ...suffix.map(() => 1)]),
    };
  }

  #chat(body: ChatBody): RenderedExample {
    const { tokenizer, lossOn = "completions", tools, variables } = this.#options;
    const template = this.templateFor(body.style);
    const chat = fitted(tools === "text" ? toolsAsText(body) : body, template);
    const written = [...chat.messages.keys()].filter((i) => chat.messages[i]!.role === "assistant");
    const unlearned = new Set(chat.unlearned);
    const learned = (lossOn === "last" ? written.slice(-1) : written).filter((i) => !unlearned.has(i));
    const wanted = lossOn === "all" ? [...unlearned] : learned;
    const { text, spans } = renderCompletions(template, chat.messages, {
      ...(chat.tools && { tools: chat.tools }),
      ...(variables && { variables }),
      // blocks that are not one for each message will do where all are learned
      ...((lossOn !== "completions" || unlearned.size > 0) && { messages: wanted }),
      endTokens: tokenizer.specialTokens.keys(),
      now: this.#now,
    });
    const tokens = encodeTargets(tokenizer, text, spans, { specialTokens: true });
    return {
      text,
      ids: tokens.ids,
      targets: lossOn === "all" ? tokens.targets.map((mark) => 1 - mark) : tokens.targets,
    };
  }
}

/** The chat as far as the template can write it. @throws DataError when the template would leave out tools or calls. */
function fitted(body: ChatBody, { source }: ChatTemplate): ChatBody {
  const hasCalls = body.messages.some(({ tool_calls }) => tool_calls !== undefined);
  const missing =
    body.tools && !source.includes("tools")
      ? "tools"
      : hasCalls && !source.includes("tool_calls")
        ? "tool_calls"
        : undefined;
  if (missing !== undefined) {
    throw new DataError(
      `the chat template does not write ${missing}, which the example has; pass tools: "text" to have them written into the messages`,
    );
  }
  if (source.includes("reasoning_content")) return body;
  return { ...body, messages: body.messages.map(withThoughts) };
}

/** Templates that have no place for thoughts expect them in the content, between the tags that reasoning models write. */
function withThoughts({ reasoning_content: thoughts, ...message }: ChatMessage): ChatMessage {
  if (typeof thoughts !== "string") return message;
  const content = typeof message.content === "string" ? message.content : "";
  return { ...message, content: `<think>\n${thoughts}\n</think>\n\n${content}` };
}
