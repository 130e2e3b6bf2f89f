/** @file `<tool_call>{"name": …, "arguments": …}</tool_call>`: Hermes, Qwen 2.5 and 3, SmolLM. */

import type { ToolCallFormat } from "./format.js";
import { JsonCallsParser } from "./json-calls.js";

export const hermes: ToolCallFormat = {
  name: "hermes",
  // Qwen3-Coder puts XML between the same marks
  matches: (template) => template.includes("<tool_call>") && !template.includes("<function="),
  opening: (name) => `<tool_call>\n{"name": "${name === undefined ? "" : `${name}", "arguments":`}`,
  parser: (names) => new JsonCallsParser({ open: "<tool_call>", close: "</tool_call>", names }),
};
