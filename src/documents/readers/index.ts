/** @file The registry of readers: a new kind of file is a file here and a line. */
import { markdown } from "./markdown.js";
import { plainText } from "./plain-text.js";

export const readers = { markdown, "plain-text": plainText } as const;
