/** @file What readers of rich formats write: blocks as Markdown, so that chunkers see the structure. */
import type { Document } from "./document.js";

/** A block of a document. `page`, from 1, is the one on which it begins. */
export type Block = { readonly page?: number } & (
  | { readonly kind: "heading"; readonly level: number; readonly text: string }
  /** Ascending offsets in `text` at which further pages begin. */
  | { readonly kind: "paragraph"; readonly text: string; readonly pageBreaks?: readonly number[] }
  /** `depth` from 0; `marker` is `-` or a number with its dot. */
  | { readonly kind: "item"; readonly depth: number; readonly marker: string; readonly text: string }
  /** The first row is the head. Rows may differ in length. */
  | { readonly kind: "table"; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "code"; readonly text: string; readonly language?: string }
);

/** The blocks as Markdown, and where pages begin if blocks have them; `numPages` counts those after the last block too. */
export function markdownOf(blocks: Iterable<Block>, numPages = 0): Pick<Document, "text" | "pageStarts"> {
  const writer = new Writer();
  for (const block of blocks) writer.add(block);
  return writer.finish(numPages);
}

class Writer {
  readonly #parts: string[] = [];
  readonly #pageStarts: number[] = [];
  #length = 0;
  #previous: Block["kind"] | undefined;

  add(block: Block): void {
    const written = textOf(block);
    if (written === "") return;
    if (this.#previous !== undefined) this.#append(this.#previous === "item" && block.kind === "item" ? "\n" : "\n\n");
    if (block.page !== undefined) this.#beginPages(block.page, this.#length);
    if (block.kind === "paragraph" && block.page !== undefined) {
      const shift = this.#length + written.length - block.text.length;
      for (const [i, at] of (block.pageBreaks ?? []).entries()) this.#beginPages(block.page + i + 1, shift + at);
    }
    this.#append(written);
    this.#previous = block.kind;
  }

  finish(numPages: number): Pick<Document, "text" | "pageStarts"> {
    this.#beginPages(numPages, this.#length);
    const text = this.#parts.join("");
    return this.#pageStarts.length === 0 ? { text } : { text, pageStarts: this.#pageStarts };
  }

  #append(part: string): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  /** Pages up to `page` begin at `offset`, unless they began before. */
  #beginPages(page: number, offset: number): void {
    while (this.#pageStarts.length < page) this.#pageStarts.push(this.#pageStarts.length === 0 ? 0 : offset);
  }
}

function textOf(block: Block): string {
  switch (block.kind) {
    case "heading":
      return block.text === "" ? "" : `${"#".repeat(Math.min(block.level, 6))} ${oneLine(block.text)}`;
    case "paragraph":
      return escapeLines(block.text);
    case "item": {
      // four columns are inside of any marker up to `99.`
      const indent = "    ".repeat(block.depth);
      return `${indent}${block.marker} ${block.text.replaceAll("\n", `\n${indent}    `)}`;
    }
    case "table":
      return tableText(block.rows);
    case "code":
      return codeText(block.text, block.language);
  }
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}

/** What Markdown would read as the beginning of another block than a paragraph. */
const BLOCK_START = /^(?=#{1,6}(?:\s|$)|`{3}|~{3}|<[a-z/!?]|(?:=+|-{2,}|\+{3})\s*$)/gim;

function escapeLines(text: string): string {
  return text.replace(BLOCK_START, "\\");
}

function tableText(rows: readonly (readonly string[])[]): string {
  const width = rows.reduce((most, { length }) => Math.max(most, length), 0);
  if (width === 0) return "";
  const [head, ...body] = rows.map((row) => rowText(row, width));
  return [head, rowText(Array<string>(width).fill("---"), width), ...body].join("\n");
}

function rowText(row: readonly string[], width: number): string {
  const cells = Array.from({ length: width }, (_, i) => oneLine((row[i] ?? "").trim()).replaceAll("|", "\\|"));
  return `| ${cells.join(" | ")} |`;
}

/** A fence longer than any in the code. */
function codeText(text: string, language = ""): string {
  const longest = [...text.matchAll(/`{3,}/g)].reduce((most, [run]) => Math.max(most, run.length), 2);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
