/** @file Texts whose structure a parser finds: marks where their parts begin, and the units between the marks. */
import { graphemeFloor } from "./graphemes.js";
import { rootSection, type Section } from "./headings.js";
import { type Line, type LineReader, LOOKAHEAD, skipIndent } from "./lines.js";
import { PlainLines } from "./plain-lines.js";
import { Strength } from "./strength.js";
import { TextWindow } from "./text-window.js";
import { MAX_GAP, UnitScanner } from "./unit-scanner.js";
import type { Unit, UnitSource } from "./units.js";

/** Where a part of a text begins. */
export interface Mark {
  /** Index in the text that was outlined. */
  readonly at: number;
  /** Strength of the boundary here. */
  readonly strength: number;
  readonly section: Section;
  /** Level of the heading that the part opens with, or 0. */
  readonly level: number;
  /** Whether the part is sentences; otherwise its lines are kept with their indentation. */
  readonly isProse: boolean;
}

/** What a parser says of a stretch of text. */
export interface Outline {
  readonly marks: readonly Mark[];
  /** Where the next stretch begins: the length of this one, if it is the last. */
  readonly end: number;
}

/** Finds the structure of a text in one stretch after the other, knowing what the ones before left open. */
export interface Outliner {
  /** Whether text before any mark is sentences. */
  readonly isProse: boolean;
  outline(text: string, isLast: boolean): Outline;
}

/** Code units that are parsed at once. A text up to this length is parsed as a whole. */
export const SEGMENT = 262_144;

/** Units of a text that an outliner marks; boundaries between marks are those of lines and sentences. */
export class OutlineUnits implements UnitSource {
  isStarved = false;
  readonly #window: TextWindow;
  readonly #outliner: Outliner;
  /** Where the outlined part ends. */
  #end = 0;
  #text = "";
  #base = 0;
  #marks: readonly Mark[] = [];
  #nextMark = 0;
  #mark: Mark | undefined;
  #scanner: UnitScanner | undefined;
  #isFirst = true;
  #lastEnd = 0;

  constructor(window: TextWindow, outliner: Outliner) {
    this.#window = window;
    this.#outliner = outliner;
  }

  get position(): number {
    return this.#scanner?.position ?? this.#end;
  }

  get isPastGap(): boolean {
    return this.position - this.#lastEnd > MAX_GAP;
  }

  next(): Unit | undefined {
    this.isStarved = false;
    for (;;) {
      const unit = this.#scanner?.next();
      if (unit !== undefined) return this.#marked(unit);
      this.#scanner = undefined;
      if (this.#nextMark < this.#marks.length) this.#openPart();
      else if (!this.#readSegment()) return undefined;
    }
  }

  #marked(unit: Unit): Unit {
    const { strength, section, level } = this.#mark!;
    const isAfterGap = unit.start - this.#lastEnd > MAX_GAP;
    const own = this.#isFirst ? strength : unit.strength;
    const marked = { ...unit, strength: isAfterGap ? Strength.must : own, section, level: this.#isFirst ? level : 0 };
    this.#isFirst = false;
    this.#lastEnd = unit.end;
    return marked;
  }

  #openPart(): void {
    const mark = this.#marks[this.#nextMark++]!;
    const end = this.#marks[this.#nextMark]?.at ?? this.#end - this.#base;
    // a part of white space only leaves its boundary to the next one
    const isPending = this.#isFirst && this.#mark !== undefined && this.#mark.strength > mark.strength;
    this.#mark = isPending ? { ...mark, strength: this.#mark!.strength } : mark;
    this.#isFirst = true;
    const lines = mark.isProse ? new PlainLines() : new VerbatimLines();
    this.#scanner = new UnitScanner(TextWindow.of(this.#text.slice(mark.at, end), this.#base + mark.at), lines);
  }

  #readSegment(): boolean {
    const { text, base, isComplete } = this.#window;
    const at = this.#end - base;
    if (isComplete && at >= text.length) return false;
    const to = this.#window.reach(at, SEGMENT);
    // whether it is the last segment must not depend on what of the text is here
    if (to < 0 || (to === text.length && !isComplete)) {
      this.isStarved = true;
      return false;
    }
    this.#text = text.slice(at, to);
    this.#base = this.#end;
    const { marks, end } = this.#outliner.outline(this.#text, to === text.length);
    const bounded = end > 0 && end <= this.#text.length ? graphemeFloor(this.#text, end, 0) : this.#text.length;
    const section = this.#mark?.section ?? rootSection;
    const first = { at: 0, strength: Strength.word, section, level: 0, isProse: this.#outliner.isProse };
    this.#marks = marksOfClusters(this.#text, [first, ...marks], bounded);
    this.#nextMark = 0;
    this.#end += bounded;
    return true;
  }
}

/** One mark at a place, the strongest and of those the last; none inside a grapheme. The first is at the beginning. */
function marksOfClusters(text: string, marks: readonly Mark[], end: number): Mark[] {
  const kept: Mark[] = [];
  for (const mark of [...marks].sort((a, b) => a.at - b.at)) {
    const from = kept.at(-1)?.at ?? 0;
    const at = graphemeFloor(text, mark.at, from);
    if (at >= end) break;
    const strength = at === from ? Math.max(mark.strength, kept.pop()?.strength ?? 0) : mark.strength;
    kept.push({ ...mark, at, strength });
  }
  return kept;
}

/** Lines of code: indentation is part of them, a blank line parts them more than a line break. */
class VerbatimLines implements LineReader {
  #isAfterBlank = false;

  lookahead(): number {
    return LOOKAHEAD;
  }

  read(text: string, at: number, to: number): Line | undefined {
    const first = skipIndent(text, at, to);
    if (first === to || text.charCodeAt(first) === 10) {
      this.#isAfterBlank = true;
      return undefined;
    }
    const strength = this.#isAfterBlank ? Strength.line : Strength.soft;
    this.#isAfterBlank = false;
    return {
      start: first - at > MAX_INDENT ? first : at,
      content: first,
      strength,
      isProse: false,
      heading: undefined,
    };
  }
}

/** Wider than this it is no indentation but a gap. */
const MAX_INDENT = 64;
