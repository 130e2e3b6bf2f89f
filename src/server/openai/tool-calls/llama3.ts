/** @file `{"name": …, "parameters": …}` as the whole answer: Llama 3.1 to 3.3. */

import type { ToolCallFormat } from "./format.js";
import { JsonCallsParser } from "./json-calls.js";

export const llama3: ToolCallFormat = {
  name: "llama3",
  matches: (template) => template.includes("<|python_tag|>") || template.includes("Environment: ipython"),
  opening: (name) => `{"name": "${name === undefined ? "" : `${name}", "parameters":`}`,
  parser: (names) => new JsonCallsParser({ open: "<|python_tag|>", between: ";", beginsAnswer: true, names }),
};
