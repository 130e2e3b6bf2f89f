/** @file The blocks of a tagged page, as its structure tree says. */
import type { Block } from "../markdown-writer.js";
import { codeOf } from "./code-lines.js";
import type { Glyph } from "./glyphs.js";
import { joinLines, type Vocabulary } from "./join-lines.js";
import { type Line, linesOf, textOfLine } from "./lines.js";
import { findAll, marksOf, type StructureElement } from "./structure.js";

/** Elements that are blocks; what has none of them below is one itself. */
const BLOCKS = new Set(
  `Document Part Art Sect Div BlockQuote TOC TOCI Index Title H H1 H2 H3 H4 H5 H6 P L LI LBody Table Caption Note Figure
  Form Code Aside FENote`.split(/\s+/),
);
/** Least share of a page's characters that the tree has to hold; the rest is taken for decoration. */
const LEAST_SHARE = 0.7;

/** The blocks of the page in the order of its tree; undefined where the tree leaves out too much of the text. */
export function taggedBlocks(
  tree: readonly StructureElement[],
  glyphs: readonly Glyph[],
  known: Vocabulary,
): Block[] | undefined {
  const byMark = new Map<number, Glyph[]>();
  for (const glyph of glyphs) {
    const { mark } = glyph.style;
    const marked = byMark.get(mark);
    if (marked) marked.push(glyph);
    else byMark.set(mark, [glyph]);
  }
  const covered = new Set(tree.flatMap((element) => marksOf(element)));
  const numCovered = [...covered].reduce((sum, mark) => sum + (byMark.get(mark)?.length ?? 0), 0);
  if (covered.size === 0 || numCovered < glyphs.length * LEAST_SHARE) return undefined;
  const reading = new TreeReading(byMark, known);
  for (const element of tree) reading.read(element, -1);
  return reading.blocks;
}

class TreeReading {
  readonly blocks: Block[] = [];
  readonly #byMark: ReadonlyMap<number, readonly Glyph[]>;
  readonly #known: Vocabulary;

  constructor(byMark: ReadonlyMap<number, readonly Glyph[]>, known: Vocabulary) {
    this.#byMark = byMark;
    this.#known = known;
  }

  /** `depth` is that of the list around, -1 outside of any. */
  read(element: StructureElement, depth: number): void {
    const { type } = element;
    const level = /^H([1-6])?$/.exec(type);
    if (level || type === "Title") this.#heading(element, Number(level?.[1] ?? 1));
    else if (type === "Table") this.#table(element);
    else if (type === "L") this.#parts(element, depth + 1);
    else if (type === "LI") this.#item(element, Math.max(depth, 0));
    else if (findAll(element, isBlock).length === 0) this.#paragraph(marksOf(element));
    else this.#parts(element, depth);
  }

  #parts({ parts }: StructureElement, depth: number): void {
    let marks: number[] = [];
    const flush = (): void => {
      this.#paragraph(marks);
      marks = [];
    };
    for (const part of parts) {
      if (typeof part === "number") marks.push(part);
      else if (!isBlock(part) && findAll(part, isBlock).length === 0 && !isCode(this.#lines(marksOf(part)))) {
        // text between blocks: pieces of one line belong together
        marks.push(...marksOf(part));
      } else {
        flush();
        this.read(part, depth);
      }
    }
    flush();
  }

  #heading(element: StructureElement, level: number): void {
    const text = this.#text(this.#lines(marksOf(element)));
    if (text !== "") this.blocks.push({ kind: "heading", level, text });
  }

  #paragraph(marks: readonly number[]): void {
    const lines = this.#lines(marks);
    if (isCode(lines)) this.blocks.push({ kind: "code", text: codeOf(lines) });
    else if (lines.length > 0) this.blocks.push({ kind: "paragraph", text: this.#text(lines) });
  }

  #item(element: StructureElement, depth: number): void {
    const isList = ({ type }: StructureElement): boolean => type === "L";
    const label = findAll(element, ({ type }) => type === "Lbl" || type === "L").filter((part) => !isList(part));
    const mark = this.#text(this.#lines(label.flatMap((part) => marksOf(part))));
    const number = /\d+/.exec(mark)?.[0];
    const text = this.#text(this.#lines(marksOf(element, (part) => isList(part) || label.includes(part))));
    if (text !== "") this.blocks.push({ kind: "item", depth, marker: number ? `${number}.` : "-", text });
    for (const list of findAll(element, isList)) this.read(list, depth);
  }

  #table(element: StructureElement): void {
    const isTable = ({ type }: StructureElement): boolean => type === "Table";
    for (const caption of findAll(element, ({ type }) => type === "Caption")) this.#paragraph(marksOf(caption));
    const rows = findAll(element, ({ type }) => type === "TR" || type === "Table").filter((row) => !isTable(row));
    const cells = rows.map((row) =>
      findAll(row, ({ type }) => type === "TH" || type === "TD").map((cell) => this.#text(this.#lines(marksOf(cell)))),
    );
    const full = cells.filter((row) => row.some((cell) => cell !== ""));
    if (full.length > 0) this.blocks.push({ kind: "table", rows: full });
  }

  #lines(marks: readonly number[]): Line[] {
    return linesOf(marks.flatMap((mark) => this.#byMark.get(mark) ?? []));
  }

  #text(lines: readonly Line[]): string {
    return lines.reduce((text, line) => joinLines(text, textOfLine(line), this.#known), "");
  }
}

function isBlock({ type }: StructureElement): boolean {
  return BLOCKS.has(type);
}

function isCode(lines: readonly Line[]): boolean {
  return lines.length > 0 && lines.every(({ style }) => style.isMono);
}
