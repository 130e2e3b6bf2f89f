/** @file The blocks of a page by where its lines stand: for pages that do not say what their parts are. */
import type { Block } from "../markdown-writer.js";
import { codeOf } from "./code-lines.js";
import { goesOn, joinLines, type Vocabulary } from "./join-lines.js";
import { type Line, textOfLine } from "./lines.js";
import type { Measures } from "./measures.js";
import { inReadingOrder } from "./reading-order.js";
import { unitsOf } from "./rows.js";

type Kind = "paragraph" | "item" | "heading" | "code";

/** A block whose lines are still being gathered. */
interface Draft {
  readonly kind: Kind;
  readonly lines: Line[];
  text: string;
  readonly level: number;
  readonly marker: string;
}

const BULLET = /^(?:[•‣◦▪●○■□▸►✓\uf0b7\uf0a7]\s*|[-–*]\s+)(?=\S)/u;
const NUMBER = /^(?:\(?(\d{1,3})[.)])\s+(?=\S)/;
/** The end of an entry in a table of contents. */
const NAMES_PAGE = / … \w+$/;
/** Distances in heights of the font. */
const INDENT = 0.8;
const SHORT = 6;
/** Of the usual distance of lines: what is further apart is another block. */
const FURTHER = 1.25;
/** More lines than this are no heading, whatever their size. */
const MOST_HEADING_LINES = 4;

export function blocksOfPage(lines: readonly Line[], measures: Measures, known: Vocabulary): Block[] {
  const page = new PageBlocks(measures, known);
  for (const unit of unitsOf(inReadingOrder(lines))) {
    if (unit.kind === "line") page.addLine(unit.line);
    else page.addTable(unit.lines);
  }
  return page.finish();
}

class PageBlocks {
  readonly #blocks: Block[] = [];
  readonly #measures: Measures;
  readonly #known: Vocabulary;
  #draft: Draft | undefined;
  /** Left edges of the items that hold the last one, and its own. */
  #itemLefts: number[] = [];

  constructor(measures: Measures, known: Vocabulary) {
    this.#measures = measures;
    this.#known = known;
  }

  addTable(lines: readonly Line[]): void {
    this.#close();
    this.#blocks.push({ kind: "table", rows: lines.map(({ segments }) => segments.map(({ text }) => text)) });
  }

  addLine(line: Line): void {
    const text = textOfLine(line);
    const next = this.#begin(line, text);
    const draft = this.#draft;
    if (draft === undefined || !this.#belongs(draft, next, line)) {
      this.#close();
      this.#draft = next;
    } else {
      draft.lines.push(line);
      draft.text = joinLines(draft.text, text, this.#known);
    }
  }

  finish(): Block[] {
    this.#close();
    return this.#blocks;
  }

  /** The block that the line would begin. */
  #begin(line: Line, text: string): Draft {
    const lines = [line];
    if (line.style.isMono) return { kind: "code", lines, text, level: 0, marker: "" };
    const level = this.#measures.headingLevel(line);
    if (level !== undefined) return { kind: "heading", lines, text, level, marker: "" };
    const bullet = BULLET.exec(text);
    if (bullet) return { kind: "item", lines, text: text.slice(bullet[0].length), level: 0, marker: "-" };
    const number = NUMBER.exec(text);
    if (number) return { kind: "item", lines, text: text.slice(number[0].length), level: 0, marker: `${number[1]}.` };
    return { kind: "paragraph", lines, text, level: 0, marker: "" };
  }

  #belongs(draft: Draft, next: Draft, line: Line): boolean {
    const last = draft.lines.at(-1)!;
    const { size, angle } = last.style;
    if (angle !== line.style.angle || Math.abs(size - line.style.size) > 0.1 * size) return false;
    const distance = (last.base - line.base) / size;
    const isNear = distance > 0 && distance <= this.#measures.leading * FURTHER;
    if (next.kind === "heading")
      return draft.kind === "heading" && draft.level === next.level && distance > 0 && distance < 2;
    if (next.kind === "code") return draft.kind === "code" && distance > 0 && distance < 4;
    if (next.kind === "item" || draft.kind === "heading" || draft.kind === "code") return false;
    if (distance < 0) return goesOn(draft.text, next.text);
    return isNear && line.left < last.right && line.right > draft.lines[0]!.left && !this.#opens(draft, last, line);
  }

  /** Whether the line looks like a paragraph's first: indented, or after a line that ends early with a full stop. */
  #opens(draft: Draft, last: Line, line: Line): boolean {
    const { size } = last.style;
    const isCentred = Math.abs(last.left + last.right - line.left - line.right) < size;
    if (draft.kind === "paragraph" && !isCentred && line.left > last.left + INDENT * size) return true;
    if (NAMES_PAGE.test(draft.text)) return true;
    return line.right > last.right + SHORT * size && /[.!?:。！？：]["”’)]?$/.test(draft.text);
  }

  #close(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft === undefined) return;
    if (draft.kind !== "item") this.#itemLefts = [];
    this.#blocks.push(this.#blockOf(draft));
  }

  #blockOf({ kind, lines, text, level, marker }: Draft): Block {
    if (kind === "code") return { kind, text: codeOf(lines) };
    if (kind === "item") return { kind, depth: this.#depthOf(lines[0]!), marker, text };
    if (kind === "heading" && lines.length <= MOST_HEADING_LINES) return { kind, level, text };
    return { kind: "paragraph", text };
  }

  #depthOf({ left, style }: Line): number {
    const tolerance = style.size / 4;
    while (this.#itemLefts.length > 0 && this.#itemLefts.at(-1)! > left + tolerance) this.#itemLefts.pop();
    const deepest = this.#itemLefts.at(-1);
    if (deepest === undefined || deepest < left - tolerance) this.#itemLefts.push(left);
    return this.#itemLefts.length - 1;
  }
}
