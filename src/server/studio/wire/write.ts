/** @file Texts that models write, token by token, with the probabilities of what they chose from. */

import type { AskedStatement } from "./ask.js";

/** A message of a conversation. */
export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** Body of `POST /api/write`. */
export interface WriteRequest {
  /** Id of a writer of the state. */
  readonly writer: string;
  /** What stands before the prompt, oldest first. Empty for a grounded text. */
  readonly earlier: readonly Turn[];
  readonly prompt: string;
  /** 0 takes the likeliest token, 2 is wild. */
  readonly temperature: number;
  /** Only the likeliest tokens that reach this probability together. */
  readonly topP: number;
  /** Most tokens to write. */
  readonly maxTokens: number;
  /** Equal seeds give equal text. */
  readonly seed: number;
  /** Puts passages of the documents before the prompt, as a question, and checks what is quoted of them. */
  readonly isGrounded: boolean;
}

/** A token and how likely it was. */
export interface TokenProbability {
  /** As text; bytes that are no whole character as `<E4 B8>`. */
  readonly token: string;
  /** From 0 to 1, before temperature and top-p. */
  readonly probability: number;
}

export interface WrittenToken extends TokenProbability {
  /** What it adds to the text; empty while a character is unfinished. */
  readonly text: string;
  /** The likeliest in its place, best first. */
  readonly top: readonly TokenProbability[];
}

/** How the prompt was put to the model. */
export type PromptForm = "chat" | "continuation";

/** Server-sent events of `POST /api/write`, in this order; `error` ends them early. */
export type WriteEvent =
  /** The model is open and has taken the prompt. */
  | { readonly event: "start"; readonly data: { readonly form: PromptForm; readonly numPromptTokens: number } }
  | { readonly event: "token"; readonly data: WrittenToken }
  /** Of a grounded text: its statements, with the quotes that hold. None: the documents do not say. */
  | { readonly event: "checked"; readonly data: { readonly statements: readonly AskedStatement[] } }
  | {
      readonly event: "end";
      readonly data: { readonly reason: "stop" | "length"; readonly numTokens: number; readonly seconds: number };
    };
