/** @file The paragraphs and tables of a part of a Word document, in order. */
import type { Block } from "../markdown-writer.js";
import type { Part } from "./package.js";
import { type Numbering, type ParagraphProperties, readProperty, type Styles } from "./styles.js";
import { parseXml } from "./xml.js";

interface Paragraph extends ParagraphProperties {
  text: string;
}

interface Table {
  readonly rows: string[][];
  row: string[];
  /** Paragraphs of the cell. */
  cell: string[];
  span: number;
}

/** Second versions of what stands there already: for old programs, of formats that were changed, of text that was moved. */
const LEFT_OUT = new Set(["Fallback", "pPrChange", "rPrChange", "moveFrom"]);

/** A list's levels as far as Word has them. */
const DEEPEST = 8;

/** What an element says in a run of text. */
const SIGNS: Readonly<Record<string, string>> = { tab: " ", br: "\n", cr: "\n", noBreakHyphen: "-" };

/** Blocks of the body; a reference to a note is `[^1]`. Deleted and hidden text is left out. */
export function bodyBlocks(part: Part, styles: Styles, numbering: Numbering): Block[] {
  const reading = new BodyReading(styles, numbering);
  parseXml(part.name, part.bytes, reading);
  return reading.blocks;
}

/** Notes by their numbers, as paragraphs that begin with `[^1]: `. */
export function noteBlocks(part: Part | undefined, mark: string, styles: Styles, numbering: Numbering): Block[] {
  if (part === undefined) return [];
  const notes: Block[] = [];
  let reading: BodyReading | undefined;
  let id = "";
  parseXml(part.name, part.bytes, {
    open: (tag, attribute) => {
      if (tag === "footnote" || tag === "endnote") {
        // separators are notes with a type
        reading = attribute("type") === undefined ? new BodyReading(styles, numbering) : undefined;
        id = attribute("id") ?? "";
      } else reading?.open(tag, attribute);
    },
    text: (text) => reading?.text(text),
    close: (tag) => {
      reading?.close(tag);
      if (tag !== "footnote" && tag !== "endnote") return;
      const text = (reading?.blocks ?? []).map((block) => ("text" in block ? block.text : "")).join(" ");
      if (text !== "") notes.push({ kind: "paragraph", text: `[^${mark}${id}]: ${text}` });
    },
  });
  return notes;
}

class BodyReading {
  readonly blocks: Block[] = [];
  readonly #styles: Styles;
  readonly #numbering: Numbering;
  /** Paragraphs that are open: a text box stands inside one. */
  readonly #paragraphs: Paragraph[] = [];
  readonly #tables: Table[] = [];
  #isText = false;
  #isHidden = false;
  /** Depth inside of what is left out. */
  #leftOut = 0;

  constructor(styles: Styles, numbering: Numbering) {
    this.#styles = styles;
    this.#numbering = numbering;
  }

  open(tag: string, attribute: (name: string) => string | undefined): void {
    if (LEFT_OUT.has(tag)) this.#leftOut++;
    if (this.#leftOut > 0) return;
    const paragraph = this.#paragraphs.at(-1);
    const table = this.#tables.at(-1);
    if (tag === "p") this.#paragraphs.push({ text: "" });
    else if (tag === "tbl") this.#tables.push({ rows: [], row: [], cell: [], span: 1 });
    else if (tag === "gridSpan" && table) table.span = Number(attribute("val") ?? 1);
    else if (tag === "r") this.#isHidden = false;
    else if (tag === "vanish") this.#isHidden = !/^(0|false|off)$/.test(attribute("val") ?? "");
    else if (tag === "t") this.#isText = true;
    else if (paragraph && tag in SIGNS) paragraph.text += SIGNS[tag];
    else if (paragraph && tag === "footnoteReference") paragraph.text += `[^${attribute("id")}]`;
    else if (paragraph && tag === "endnoteReference") paragraph.text += `[^e${attribute("id")}]`;
    else if (paragraph) readProperty(paragraph, tag, attribute);
  }

  text(text: string): void {
    const paragraph = this.#paragraphs.at(-1);
    if (this.#isText && !this.#isHidden && this.#leftOut === 0 && paragraph) paragraph.text += text;
  }

  close(tag: string): void {
    if (LEFT_OUT.has(tag)) this.#leftOut--;
    if (this.#leftOut > 0) return;
    const table = this.#tables.at(-1);
    if (tag === "t") this.#isText = false;
    else if (tag === "p") this.#endParagraph();
    else if (tag === "tc" && table) endCell(table);
    else if (tag === "tr" && table) {
      table.rows.push(table.row);
      table.row = [];
    } else if (tag === "tbl") this.#endTable();
  }

  #endParagraph(): void {
    const paragraph = this.#paragraphs.pop();
    const text = (paragraph?.text ?? "").replace(/[^\S\n]+/g, " ").trim();
    if (paragraph === undefined || text === "") return;
    const cell = this.#tables.at(-1)?.cell;
    if (cell) cell.push(text);
    else this.blocks.push(this.#blockOf(this.#styles.resolve(paragraph), text));
  }

  #blockOf({ outline, list, listLevel = 0 }: ParagraphProperties, text: string): Block {
    if (outline !== undefined && outline < 9) return { kind: "heading", level: outline + 1, text };
    const depth = Math.min(Math.max(0, Math.trunc(listLevel) || 0), DEEPEST);
    const marker = list === undefined ? undefined : this.#numbering.next(list, depth);
    return marker === undefined ? { kind: "paragraph", text } : { kind: "item", depth, marker, text };
  }

  #endTable(): void {
    const table = this.#tables.pop();
    const rows = (table?.rows ?? []).filter((row) => row.some((cell) => cell !== ""));
    const outer = this.#tables.at(-1);
    if (outer) outer.cell.push(...rows.map((row) => row.filter((cell) => cell !== "").join(" ")));
    // a single column is a frame around text
    else if (rows.every(({ length }) => length < 2)) {
      this.blocks.push(...rows.flat().map((text) => ({ kind: "paragraph", text }) as const));
    } else this.blocks.push({ kind: "table", rows });
  }
}

/** Word's own limit of columns. */
const MOST_COLUMNS = 63;

function endCell(table: Table): void {
  const span = Math.min(Math.max(1, Math.trunc(table.span) || 1), MOST_COLUMNS);
  table.row.push(table.cell.join("\n"), ...Array<string>(span - 1).fill(""));
  table.cell = [];
  table.span = 1;
}
