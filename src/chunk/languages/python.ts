/** @file Python. */
import { parser } from "@lezer/python";
import type { Language } from "./language.js";

export const python: Language = {
  name: "python",
  extensions: [".py", ".pyi"],
  parser,
  definitions: new Set(["FunctionDefinition", "ClassDefinition"]),
  wrappers: new Set(["DecoratedStatement"]),
  names: new Set(["VariableName"]),
};
