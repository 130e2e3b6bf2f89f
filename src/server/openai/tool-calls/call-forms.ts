/** @file Parts of the forms that JSON tool calls have. */

import type { AnswerForm } from "../service.js";
import type { CallForm } from "./format.js";

export const oneOf = (...options: readonly AnswerForm[]): AnswerForm => ({ type: "choice", options });
export const inOrder = (...parts: readonly AnswerForm[]): AnswerForm => ({ type: "sequence", parts });
export const maybe = (part: AnswerForm): AnswerForm => ({ type: "repeat", part, min: 0, max: 1 });

/** `{"name": …, "<key>": …}` of one of the functions. */
export function callObject(functions: readonly CallForm[], key: "arguments" | "parameters"): AnswerForm {
  const rest = functions.map((called) => inOrder(`${called.name}", "${key}":`, maybe(" "), called.arguments, "}"));
  return inOrder('{"name": "', oneOf(...rest));
}

/** One of `item`, or where calls may be parallel any number with `between` between them. */
export function oneOrMore(item: AnswerForm, between: AnswerForm, isParallel: boolean): AnswerForm {
  return isParallel ? inOrder(item, { type: "repeat", part: inOrder(between, item), min: 0 }) : item;
}

/** Free text, then perhaps calls, which begin with `mark`. */
export function textThenCalls(mark: string, calls: AnswerForm): AnswerForm {
  return inOrder({ type: "free", without: mark }, maybe(calls));
}
