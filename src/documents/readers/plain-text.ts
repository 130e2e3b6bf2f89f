/** @file Plain text, and markup that reads well as such. Source code is not: `plainTextExtensions` of a scan adds it. */
import { decodeText } from "../decode.js";
import type { Reader } from "../document.js";

export const plainText: Reader = {
  name: "plain-text",
  mediaType: "text/plain",
  extensions: [".txt", ".text", ".rst", ".adoc", ".asciidoc", ".org"],
  fileNames: [
    "readme",
    "changelog",
    "changes",
    "history",
    "news",
    "contributing",
    "license",
    "licence",
    "copying",
    "notice",
    "authors",
    "install",
    "todo",
  ],
  read: decodeText,
};
