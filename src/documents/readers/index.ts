/** @file The registry of readers: a new kind of file is a file here and a line. */
import type { Reader } from "../document.js";
import { csv } from "./csv.js";
import { docx } from "./docx.js";
import { html } from "./html.js";
import { json } from "./json.js";
import { jsonl } from "./jsonl.js";
import { markdown } from "./markdown.js";
import { pdf } from "./pdf.js";
import { plainText } from "./plain-text.js";
import { sourceCode } from "./source-code.js";

export const readers = {
  markdown,
  "plain-text": plainText,
  html,
  pdf,
  docx,
  json,
  jsonl,
  csv,
  ...sourceCode,
} as const satisfies Record<string, Reader>;
