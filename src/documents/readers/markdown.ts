/** @file Markdown and MDX, kept as written: structure and offsets are those of the source. */
import { decodeText } from "../decode.js";
import type { Reader } from "../document.js";

export const markdown: Reader = {
  name: "markdown",
  mediaType: "text/markdown",
  extensions: [".md", ".markdown", ".mdx"],
  fileNames: [],
  read: decodeText,
};
