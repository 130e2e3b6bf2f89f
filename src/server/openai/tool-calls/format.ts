/** @file What every format of tool calls defines. */

import type { AnswerForm } from "../service.js";

/** Part of an answer, in the order in which it is written. */
export type AnswerDelta =
  | { readonly type: "text"; readonly text: string }
  /** A call begins. */
  | { readonly type: "call"; readonly index: number; readonly name: string }
  /** More of the JSON text of a call's arguments. */
  | { readonly type: "arguments"; readonly index: number; readonly text: string };

/** Reads one answer as it is written. What looks like a call and is none comes out as text: nothing is lost. */
export interface ToolCallParser {
  /** Calls that are complete. */
  readonly numComplete: number;
  push(text: string): AnswerDelta[];
  /** What was held back. */
  end(): AnswerDelta[];
}

/** A function that may be called, and the JSON of its arguments. */
export interface CallForm {
  readonly name: string;
  readonly arguments: AnswerForm;
}

/** How a line of models writes tool calls. Registered in `index.ts`. */
export interface ToolCallFormat {
  readonly name: string;
  /** Whether a chat template teaches this form. */
  matches(template: string): boolean;
  /** How a call begins, of one function or of any: put behind the prompt, it makes the model write a call. */
  opening(functionName?: string): string;
  /** Texts of calls, which begin with `opening`: one, or any number where they may be `parallel`. */
  calls(functions: readonly CallForm[], isParallel: boolean): AnswerForm;
  /** Texts that are read as no call, and then perhaps calls. */
  answer(functions: readonly CallForm[], isParallel: boolean): AnswerForm;
  /** Length of ids of calls, where templates insist on one. */
  readonly idLength?: number;
  /** @param names functions that may be called; a call of another one is text. */
  parser(names: ReadonlySet<string>): ToolCallParser;
}
