/** @file `[TOOL_CALLS][{"name": …, "arguments": …}, …]`: Mistral's models up to its tokenizer of version 7. */

import { callObject, inOrder, maybe, oneOrMore, textThenCalls } from "./call-forms.js";
import type { CallForm, ToolCallFormat } from "./format.js";
import { JsonCallsParser } from "./json-calls.js";

const open = "[TOOL_CALLS]";

function calls(functions: readonly CallForm[], isParallel: boolean) {
  const items = oneOrMore(callObject(functions, "arguments"), ", ", isParallel);
  return inOrder(open, maybe(" "), "[", items, "]");
}

export const mistral: ToolCallFormat = {
  name: "mistral",
  // later templates write name[ARGS]{…}
  matches: (template) => template.includes(open) && !template.includes("[ARGS]"),
  opening: (name) => `${open}[{"name": "${name === undefined ? "" : `${name}", "arguments":`}`,
  calls,
  answer: (functions, isParallel) => textThenCalls(open, calls(functions, isParallel)),
  idLength: 9,
  parser: (names) => new JsonCallsParser({ open, between: "[],", names }),
};
