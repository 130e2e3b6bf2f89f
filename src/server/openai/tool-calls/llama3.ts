/** @file `{"name": …, "parameters": …}` as the whole answer: Llama 3.1 to 3.3. */

import { callObject, inOrder, maybe, oneOf, oneOrMore } from "./call-forms.js";
import type { CallForm, ToolCallFormat } from "./format.js";
import { JsonCallsParser } from "./json-calls.js";

const [open, between] = ["<|python_tag|>", ";"] as const;

function calls(functions: readonly CallForm[], isParallel: boolean) {
  return oneOrMore(callObject(functions, "parameters"), inOrder(between, maybe(" ")), isParallel);
}

export const llama3: ToolCallFormat = {
  name: "llama3",
  matches: (template) => template.includes(open) || template.includes("Environment: ipython"),
  opening: (name) => `{"name": "${name === undefined ? "" : `${name}", "parameters":`}`,
  calls,
  answer(functions, isParallel) {
    const called = calls(functions, isParallel);
    const text = { type: "free", without: open, notFirst: `{${between}` } as const;
    return oneOf(called, inOrder(text, maybe(inOrder(open, called))));
  },
  parser: (names) => new JsonCallsParser({ open, between, beginsAnswer: true, names }),
};
