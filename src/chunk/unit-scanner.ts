/** @file Cuts a text into units: the smallest stretches that chunks are made of, each with the strength of its boundary. */
import { isIdeographic, isSpace, NEWLINE } from "../text/characters.js";
import { SENTENCE_MARKS, sentenceEnd } from "../text/sentence-end.js";
import { graphemeCeil, graphemeFloor, trimClustersEnd } from "./graphemes.js";
import { openSection, rootSection, type Section } from "./headings.js";
import { type LineReader, LOOKAHEAD, lineEnd, skipIndent } from "./lines.js";
import { Strength } from "./strength.js";
import type { TextWindow } from "./text-window.js";
import type { Unit, UnitSource } from "./units.js";
import { wordStrength } from "./words.js";

/** A sentence or line longer than this is several units, so that a line without end needs no memory without end. */
const MAX_UNIT = 1024;
/** White space longer than this between two units is neither held nor counted: no chunk reaches across. */
export const MAX_GAP = 4096;
/** A list marker or a row of quote signs longer than this is text. */
const MAX_MARKER = 256;
/** Prose is wrapped below this width; a break after a longer line ends a paragraph. */
const LONG_LINE = 160;
/** `:`, `：` and `*`: what a line introduces that ends with a colon, or is a label in bold, should stay with it. */
const INTRODUCERS = [58, 0xff1a, 42];

/** What a code unit may end. A table of them is twice as fast as comparisons. */
const CutKind = { none: 0, sentence: 1, line: 2 } as const;
const CUT_KINDS = new Uint8Array(65536);
for (const mark of SENTENCE_MARKS) CUT_KINDS[mark] = CutKind.sentence;
CUT_KINDS[NEWLINE] = CutKind.line;

/** Where a unit ends, as an index into the window, and the strength of the boundary after it if its line goes on. */
interface Cut {
  readonly end: number;
  readonly strength: number | undefined;
}

/** Reads a text line by line and cuts lines of prose into sentences. */
export class UnitScanner implements UnitSource {
  isStarved = false;
  readonly #window: TextWindow;
  readonly #lines: LineReader;
  #pos: number;
  #isInLine = false;
  #lineStart = 0;
  /** Where the next unit begins, if that is known before white space is skipped; otherwise -1. */
  #unitStart = -1;
  #strength = 0;
  #level = 0;
  #isProse = true;
  #section: Section = rootSection;
  #lastEnd: number;
  /** Last character of the last unit. */
  #lastCode = 0;
  #endedSentence = false;

  constructor(window: TextWindow, lines: LineReader) {
    this.#window = window;
    this.#pos = window.base;
    this.#lastEnd = window.base;
    this.#lines = lines;
  }

  get position(): number {
    return this.#unitStart < 0 ? this.#pos : this.#lineStart;
  }

  get isPastGap(): boolean {
    return this.position - this.#lastEnd > MAX_GAP;
  }

  next(): Unit | undefined {
    this.isStarved = false;
    while (this.#isInLine || this.#enterLine()) {
      const unit = this.#readUnit();
      if (unit !== undefined || this.#isInLine) return unit;
    }
    return undefined;
  }

  #starve(): false {
    this.isStarved = true;
    return false;
  }

  /** Goes on to the next line that is not blank. */
  #enterLine(): boolean {
    const { text, base, isComplete } = this.#window;
    for (;;) {
      const at = this.#pos - base;
      if (isComplete && at >= text.length) return false;
      const isReadable = this.#window.reach(at, LOOKAHEAD) >= 0;
      const to = isReadable ? this.#window.reach(at, this.#lines.lookahead(text, at)) : -1;
      if (to < 0) return this.#starve();
      const line = this.#lines.read(text, at, to);
      if (line !== undefined) {
        this.#strength = this.#lineStrength(line.strength);
        this.#lineStart = this.#pos;
        this.#unitStart = line.start + base;
        this.#pos = (line.content - line.start > MAX_MARKER ? line.start : line.content) + base;
        this.#isProse = line.isProse;
        this.#level = line.heading?.level ?? 0;
        if (line.heading) this.#section = openSection(this.#section, line.heading.level, line.heading.title);
        this.#isInLine = true;
        return true;
      }
      this.#pos = Math.min(skipIndent(text, at, to) + 1, to) + base;
    }
  }

  /** Strength of the boundary in front of a line, with what is known of the line before. */
  #lineStrength(strength: number): number {
    if (strength === Strength.block && INTRODUCERS.includes(this.#lastCode)) return Strength.introduced;
    if (strength !== Strength.soft) return strength;
    if (this.#lastEnd - this.#lineStart > LONG_LINE) return Strength.line;
    return this.#endedSentence ? Strength.sentence : Strength.soft;
  }

  /** The next unit of the line; undefined at the line's end, or, still in the line, when starved. */
  #readUnit(): Unit | undefined {
    const { text, base } = this.#window;
    const start = this.#findStart();
    if (start < 0) return undefined;
    const to = this.#window.reach(start, LOOKAHEAD);
    const cut = this.#findCut(text, start, Math.max(start, this.#pos - base), to);
    const strength = start + base - this.#lastEnd > MAX_GAP ? Strength.must : this.#strength;
    const unit: Unit = {
      start: start + base,
      end: cut.end + base,
      strength,
      section: this.#section,
      level: this.#level,
      isProse: this.#isProse,
    };
    this.#lastEnd = unit.end;
    this.#lastCode = text.charCodeAt(cut.end - 1);
    this.#endedSentence = cut.strength === Strength.sentence;
    this.#pos = unit.end;
    this.#unitStart = -1;
    this.#level = 0;
    if (cut.strength === undefined) this.#leaveLine(text, cut.end);
    else this.#strength = cut.strength;
    return unit;
  }

  #leaveLine(text: string, end: number): void {
    this.#pos = Math.min(skipIndent(text, end, text.length) + 1, text.length) + this.#window.base;
    this.#isInLine = false;
  }

  /** Index where the next unit begins, with all that may be looked at readable; -1 at the line's end or when starved. */
  #findStart(): number {
    const { text, base, isComplete } = this.#window;
    const from = this.position - base;
    const first = this.#unitStart < 0 ? skipIndent(text, from, text.length) : this.#unitStart - base;
    const isLineEnd = first < text.length ? text.charCodeAt(first) === NEWLINE : isComplete;
    if (isLineEnd) {
      this.#leaveLine(text, first);
      return -1;
    }
    if (this.#window.reach(first, LOOKAHEAD) >= 0) return graphemeFloor(text, first, from);
    // one white space stays: a combining mark that comes next belongs to it
    if (this.#unitStart < 0) this.#pos = Math.max(from, first - 1) + base;
    this.#starve();
    return -1;
  }

  #findCut(text: string, start: number, from: number, to: number): Cut {
    const max = Math.min(to, start + MAX_UNIT);
    let i = this.#isProse ? from : lineEnd(text, from, max);
    for (; i < max; i++) {
      const kind = CUT_KINDS[text.charCodeAt(i)];
      if (kind === CutKind.none) continue;
      if (kind === CutKind.line) return { end: trimClustersEnd(text, start, i), strength: undefined };
      const end = sentenceEnd(text, i, from, to);
      if (end >= 0) return { end: graphemeCeil(text, end, start), strength: Strength.sentence };
    }
    if (max === text.length && this.#window.isComplete)
      return { end: trimClustersEnd(text, start, max), strength: undefined };
    return forcedCut(text, start, max);
  }
}

/** A cut of a unit that is too long: after its last word, or inside the word if it fills half the unit. */
function forcedCut(text: string, start: number, max: number): Cut {
  for (let i = max - 1; i > max - MAX_UNIT / 2; i--) {
    if (isSpace(text.charCodeAt(i)))
      return { end: trimClustersEnd(text, start, i), strength: wordStrength(text, start, i) };
  }
  const end = graphemeFloor(text, max, start);
  const isBetweenWords = isIdeographic(text.charCodeAt(end)) && isIdeographic(text.charCodeAt(end - 1));
  return { end, strength: isBetweenWords ? Strength.word : Strength.grapheme };
}
