/** @file `[TOOL_CALLS][{"name": …, "arguments": …}, …]`: Mistral's models up to its tokenizer of version 7. */

import type { ToolCallFormat } from "./format.js";
import { JsonCallsParser } from "./json-calls.js";

export const mistral: ToolCallFormat = {
  name: "mistral",
  // later templates write name[ARGS]{…}
  matches: (template) => template.includes("[TOOL_CALLS]") && !template.includes("[ARGS]"),
  opening: (name) => `[TOOL_CALLS][{"name": "${name === undefined ? "" : `${name}", "arguments":`}`,
  idLength: 9,
  parser: (names) => new JsonCallsParser({ open: "[TOOL_CALLS]", between: "[],", names }),
};
