/** @file Renders chats with the Jinja templates that models bring, in the environment that transformers gives them. */

import { Template } from "@huggingface/jinja";
import { CheckpointError, DataError, messageOf, TesseraError } from "../../base/errors.js";
import { markGenerations } from "./generation-marks.js";
import { strftime } from "./strftime.js";

/** One message: `role`, `content` and whatever else the template reads (`tool_calls`, `name`, `reasoning_content`). */
export interface ChatMessage {
  readonly role: string;
  readonly content?: string | null | readonly ChatContentPart[];
  readonly [key: string]: unknown;
}

/** A part of a message of several kinds, such as `{ type: "text", text }`. */
export interface ChatContentPart {
  readonly type: string;
  readonly text?: string;
  readonly [key: string]: unknown;
}

export interface RenderChatOptions {
  /** Ends with the words that begin the assistant's next message. Default false. */
  readonly addGenerationPrompt?: boolean;
  /** Ends where the last message's content ends, so that the model goes on with it. Default false. */
  readonly continueFinalMessage?: boolean;
  /** JSON schemas of functions that the model may call. */
  readonly tools?: readonly Readonly<Record<string, unknown>>[];
  /** Documents to answer from, usually with `title` and `text`. */
  readonly documents?: readonly Readonly<Record<string, unknown>>[];
  /** More variables for the template, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What `strftime_now` takes for now. Default: the clock. */
  readonly now?: Date;
}

/** A stretch of a rendered chat, in UTF-16 code units. */
export interface ChatSpan {
  readonly start: number;
  readonly end: number;
}

/** A template and the special tokens that it may name. */
export class ChatTemplate {
  readonly source: string;
  /** By their name in tokenizer_config.json: `bos_token`, `eos_token`, … */
  readonly specialTokens: Readonly<Record<string, string>>;
  readonly #plain: Template;
  readonly #marked: { readonly template: Template; readonly open: string; readonly close: string } | undefined;

  /** @throws CheckpointError when `source` is no Jinja template. */
  constructor(source: string, specialTokens: Readonly<Record<string, string>> = {}) {
    this.source = source;
    this.specialTokens = specialTokens;
    this.#plain = compile(source);
    const marked = markGenerations(source);
    this.#marked = marked && { ...marked, template: compile(marked.source) };
  }

  /** Whether the template says itself, in `{% generation %}` blocks, what the assistant has written. */
  get marksGenerations(): boolean {
    return this.#marked !== undefined;
  }

  /** @throws DataError when the template refuses the messages. */
  render(messages: readonly ChatMessage[], options: RenderChatOptions = {}): string {
    return run(this.#plain, this.#variables(messages, options));
  }

  /**
   * The text and its `{% generation %}` blocks.
   * @throws DataError when the template refuses the messages or has no such block.
   */
  renderGenerations(
    messages: readonly ChatMessage[],
    options: RenderChatOptions = {},
  ): { readonly text: string; readonly spans: readonly ChatSpan[] } {
    if (this.#marked === undefined) throw new DataError("chat template: it has no {% generation %} block");
    const { template, open, close } = this.#marked;
    const variables = this.#variables(messages, options);
    if (JSON.stringify(variables).includes(open)) {
      throw new DataError(`chat template: messages must not contain U+${open.codePointAt(0)!.toString(16)}`);
    }
    let text = "";
    const spans: ChatSpan[] = [];
    for (const part of run(template, variables).split(open)) {
      const [inside = "", ...after] = part.split(close);
      if (after.length > 0) spans.push({ start: text.length, end: text.length + inside.length });
      text += inside + after.join("");
    }
    return { text, spans };
  }

  #variables(messages: readonly ChatMessage[], options: RenderChatOptions): Record<string, unknown> {
    const now = options.now ?? new Date();
    return {
      ...this.specialTokens,
      ...options.variables,
      messages,
      tools: options.tools ?? null,
      documents: options.documents ?? null,
      add_generation_prompt: options.addGenerationPrompt ?? false,
      tessera_strftime_now: (format: string) => strftime(now, format),
      tessera_raise_exception: (message: string) => {
        throw new DataError(`chat template: it refuses these messages: ${message}`);
      },
    };
  }
}

/** The library's own functions cannot be replaced from outside. `trim_blocks` takes the line end. */
const replacements =
  "{% set strftime_now = tessera_strftime_now %}{% set raise_exception = tessera_raise_exception %}\n";

function compile(source: string): Template {
  try {
    return new Template(replacements + source);
  } catch (error) {
    throw new CheckpointError(`chat template: not a Jinja template: ${messageOf(error)}`, { cause: error });
  }
}

function run(template: Template, variables: Record<string, unknown>): string {
  try {
    return template.render(variables);
  } catch (error) {
    if (error instanceof TesseraError) throw error;
    throw new DataError(`chat template: it cannot render these messages: ${messageOf(error)}`, { cause: error });
  }
}
