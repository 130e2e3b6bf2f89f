/** @file `<tool_call>{"name": …, "arguments": …}</tool_call>`: Hermes, Qwen 2.5 and 3, SmolLM. */

import { callObject, inOrder, maybe, oneOrMore, textThenCalls } from "./call-forms.js";
import type { CallForm, ToolCallFormat } from "./format.js";
import { JsonCallsParser } from "./json-calls.js";

const [open, close] = ["<tool_call>", "</tool_call>"] as const;

function calls(functions: readonly CallForm[], isParallel: boolean) {
  const call = inOrder(open, maybe("\n"), callObject(functions, "arguments"), maybe("\n"), close);
  return oneOrMore(call, maybe("\n"), isParallel);
}

export const hermes: ToolCallFormat = {
  name: "hermes",
  // Qwen3-Coder puts XML between the same marks
  matches: (template) => template.includes(open) && !template.includes("<function="),
  opening: (name) => `${open}\n{"name": "${name === undefined ? "" : `${name}", "arguments":`}`,
  calls,
  answer: (functions, isParallel) => textThenCalls(open, calls(functions, isParallel)),
  parser: (names) => new JsonCallsParser({ open, close, names }),
};
