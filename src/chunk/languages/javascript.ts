/** @file JavaScript and TypeScript, with and without JSX. */
import { parser } from "@lezer/javascript";
import type { Language } from "./language.js";

const shared = {
  definitions: new Set([
    "FunctionDeclaration",
    "ClassDeclaration",
    "MethodDeclaration",
    "InterfaceDeclaration",
    "TypeAliasDeclaration",
    "EnumDeclaration",
    "NamespaceDeclaration",
  ]),
  valueDefinitions: {
    node: "VariableDeclaration",
    values: new Set(["ArrowFunction", "FunctionExpression", "ClassExpression"]),
  },
  wrappers: new Set(["ExportDeclaration"]),
  names: new Set(["VariableDefinition", "TypeDefinition", "PropertyDefinition", "PrivatePropertyDefinition"]),
} satisfies Partial<Language>;

export const javascript: Language = {
  ...shared,
  name: "javascript",
  extensions: [".js", ".mjs", ".cjs", ".jsx"],
  parser: parser.configure({ dialect: "jsx" }),
};

export const typescript: Language = {
  ...shared,
  name: "typescript",
  extensions: [".ts", ".mts", ".cts"],
  parser: parser.configure({ dialect: "ts" }),
};

export const tsx: Language = {
  ...shared,
  name: "tsx",
  extensions: [".tsx"],
  parser: parser.configure({ dialect: "ts jsx" }),
};
