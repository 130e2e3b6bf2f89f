/** @file Tables by rows: comma-separated values, and the tables of Markdown. */
import { NEWLINE, skipSpace } from "../text/characters.js";
import type { ChunkerDef, ChunkOptions } from "./chunk.js";
import { type Heading, openSection, rootSection, type Section } from "./headings.js";
import { LOOKAHEAD, lineEnd } from "./lines.js";
import { MarkdownLines } from "./markdown-lines.js";
import { type Mark, type Outline, type Outliner, OutlineUnits } from "./outline.js";
import { packUnits, streamed } from "./streamed.js";
import { Strength } from "./strength.js";
import { structureBreaks } from "./structure-breaks.js";

export interface TableOptions extends ChunkOptions {
  /** How tables are written. Default "csv": RFC 4180, with the delimiter that the first row holds most of `,` tab `;` `|`. */
  readonly tableFormat?: "csv" | "markdown";
}

/**
 * Rows stay whole where they fit a chunk, and the first stays with the header row. `headingPath` ends with the header, its
 * cells joined by ` | `, so that a chunk of later rows says what its columns are. In Markdown what stands around tables is
 * cut as `recursive` does.
 * @throws ConfigError if `maxTokens` or `overlapTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const table: ChunkerDef<TableOptions> = streamed("table", (window, options) => {
  const outliner = options.tableFormat === "markdown" ? new MarkdownTables() : new CsvRows();
  return packUnits(window, new OutlineUnits(window, outliner), structureBreaks, options);
});

const DELIMITERS = [",", "\t", ";", "|"];
/** A quoted field longer than this is none: its quote was left open. */
const MAX_QUOTED = 65_536;
const LONGEST_HEADER = 256;
/** Where the sections of a table stand: below every heading. */
const TABLE_LEVEL = 7;

class CsvRows implements Outliner {
  readonly isProse = false;
  #delimiter = "";
  #section: Section | undefined;
  #numRows = 0;

  outline(text: string, isLast: boolean): Outline {
    const marks: Mark[] = [];
    let at = 0;
    while (at < text.length) {
      if (this.#delimiter === "") this.#delimiter = delimiterOf(text.slice(at, lineEnd(text, at, text.length)));
      const end = this.#rowEnd(text, at);
      if (end === text.length && !isLast && at > 0) break;
      if (skipSpace(text, at, end) < end) marks.push(this.#row(text, at, end));
      at = end;
    }
    return { marks, end: at };
  }

  #row(text: string, at: number, end: number): Mark {
    this.#section ??= openTable(rootSection, text.slice(at, end).split(this.#delimiter));
    // the header, and the row that shows what it means
    const strength = this.#numRows++ === 1 ? Strength.glue : Strength.line;
    return { at, strength, section: this.#section, level: 0, isProse: false };
  }

  /** Index after the row that begins at `at`, its line break included. A quote opens a field only at its beginning. */
  #rowEnd(text: string, at: number): number {
    const delimiter = this.#delimiter.charCodeAt(0);
    let isFieldStart = true;
    for (let i = at; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === NEWLINE) return i + 1;
      if (code === 34 && isFieldStart) i = quotedEnd(text, i) - 1;
      isFieldStart = code === delimiter;
    }
    return text.length;
  }
}

/** Index after the quoted field that begins at `at`, or after its quote, if none closes it. */
function quotedEnd(text: string, at: number): number {
  const field = text.slice(at, at + MAX_QUOTED);
  const end = /^"[^"]*(?:""[^"]*)*"/.exec(field)?.[0].length;
  return at + (end ?? 1);
}

/** The delimiter that a row holds most; a comma, if none. */
function delimiterOf(row: string): string {
  const counts = DELIMITERS.map((delimiter) => row.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

class MarkdownTables implements Outliner {
  readonly isProse = true;
  readonly #lines = new MarkdownLines();
  #section = rootSection;
  #table: Section | undefined;

  outline(text: string, isLast: boolean): Outline {
    const marks: Mark[] = [];
    const last = isLast ? text.length : text.length - LOOKAHEAD;
    let at = 0;
    while (at < last) {
      const end = Math.min(text.length, lineEnd(text, at, text.length) + 1);
      const line = this.#lines.read(text, at, text.length);
      if (line === undefined) this.#table = undefined;
      else if (line.strength !== Strength.soft) {
        const section = this.#sectionOf(line.heading, text.slice(line.start, end));
        const { start, strength, isProse, heading } = line;
        marks.push({ at: start, strength, section, level: heading?.level ?? 0, isProse });
      }
      at = end;
    }
    return { marks, end: at };
  }

  #sectionOf(heading: Heading | undefined, row: string): Section {
    if (heading) this.#section = openSection(this.#section, heading.level, heading.title);
    if (!this.#lines.isInTable) this.#table = undefined;
    else this.#table ??= openTable(this.#section, row.replace(/^\s*\||\|\s*$/g, "").split("|"));
    return this.#table ?? this.#section;
  }
}

function openTable(section: Section, cells: readonly string[]): Section {
  const header = cells.map((cell) =>
    cell
      .trim()
      .replace(/^"(.*)"$/s, "$1")
      .replace(/\s+/g, " "),
  );
  return openSection(section, TABLE_LEVEL, header.join(" | ").slice(0, LONGEST_HEADER));
}
