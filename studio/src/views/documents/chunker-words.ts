/** @file What chunkers do, in a line each. */

const words: Readonly<Record<string, string>> = {
  recursive: "at the structure: sections, paragraphs, lines, sentences",
  fixed: "between words, wherever the size ends",
  sentence: "between sentences",
  html: "HTML source at headings and elements",
  code: "TypeScript, JavaScript and Python at classes and functions",
  table: "tables between rows",
  "content-defined": "where the text itself says, so that an edit moves few cuts",
  "parent-child": "small chunks, read with the larger one around them",
  "sentence-window": "single sentences, read with those around them",
  semantic: "where neighbouring sentences are least alike in meaning",
  "cluster-semantic": "so that chunks are most alike inside",
};

export const chunkerWords = (name: string | undefined): string =>
  name === undefined ? "source code at its functions, all else at its structure" : (words[name] ?? "");
