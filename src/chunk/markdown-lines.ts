/** @file Markdown as lines: which of them open sections, blocks and items. */
import { NEWLINE } from "../text/characters.js";
import { type Heading, headingTitle } from "./headings.js";
import { type Line, type LineReader, LOOKAHEAD, lineEnd, skipIndent } from "./lines.js";
import {
  atxLevel,
  columns,
  htmlHeading,
  isTableHead,
  isThematicBreak,
  type ListMarker,
  listMarker,
  quoteContent,
  underlineLevel,
} from "./markdown-syntax.js";
import { MAX_FRONT_MATTER, openFence, openFrontMatter, openHtml, type RawBlock } from "./raw-blocks.js";
import { headingStrength, Strength } from "./strength.js";

/** Indentation that a chunk keeps at its beginning; wider is no indentation but a gap. */
const MAX_INDENT = 64;
const LESS = 60;
const GREATER = 62;

/** What the last line belongs to, where the next one may continue it. */
type Block = "none" | "paragraph" | "quote" | "table" | "code";

/** A line under reading: its beginning, its first character that is not white space, and the limit of sight. */
interface Place {
  readonly text: string;
  readonly at: number;
  readonly first: number;
  readonly to: number;
  readonly indent: number;
  /** Whether the indentation puts it into the open list item. */
  readonly isInItem: boolean;
}

/**
 * Reads Markdown as CommonMark and GFM do, as far as cutting depends on it. It differs where their answer would need
 * the whole document: a fence closes only by a fence, whatever its indentation; an underlined heading is one line;
 * quoted and nested headings open no section.
 */
export class MarkdownLines implements LineReader {
  #isFirst = true;
  #isAfterBlank = false;
  #block: Block = "none";
  #raw: RawBlock | undefined;
  /** Lines of the open raw block or table so far. */
  #numLines = 0;
  /** Level of the heading just above, 0 if there is text between. */
  #headingAbove = 0;
  #isUnderline = false;
  #isQuoteBlank = false;
  /** Column where the text of the open top-level list item begins; 0 outside lists. */
  #itemIndent = 0;

  /** Whether the line that was read last is a row of a table. */
  get isInTable(): boolean {
    return this.#block === "table";
  }

  lookahead(text: string, at: number): number {
    const mayBeFrontMatter = this.#isFirst && (text.startsWith("---", at) || text.startsWith("+++", at));
    return mayBeFrontMatter ? MAX_FRONT_MATTER : LOOKAHEAD;
  }

  read(text: string, at: number, to: number): Line | undefined {
    const first = skipIndent(text, at, to);
    if (first === to || text.charCodeAt(first) === NEWLINE) return this.#readBlank();
    const indent = columns(text, at, first);
    const isInItem = this.#itemIndent > 0 && indent >= this.#itemIndent;
    const line = this.#readText({ text, at, first, to, indent, isInItem });
    this.#isFirst = false;
    this.#isAfterBlank = false;
    return line;
  }

  #readBlank(): undefined {
    this.#isFirst = false;
    this.#isAfterBlank = true;
    if (this.#raw?.endsAtBlank) this.#raw = undefined;
    if (this.#block !== "code") this.#block = "none";
  }

  #readText(place: Place): Line {
    if (this.#raw !== undefined) return this.#readRaw(place, this.#raw);
    if (this.#isUnderline) {
      this.#isUnderline = false;
      return prose(place, Strength.glue);
    }
    if (this.#isAnchor(place)) return prose(place, Strength.glue);
    const line = this.#readBlock(place);
    this.#headingAbove = line.heading?.level ?? 0;
    return line;
  }

  /** A link target between a heading and its text must not part them. */
  #isAnchor({ text, first, to }: Place): boolean {
    return (
      this.#headingAbove > 0 &&
      text.startsWith("<a ", first) &&
      text
        .slice(first, lineEnd(text, first, to))
        .trim()
        .endsWith("</a>")
    );
  }

  #readRaw(place: Place, raw: RawBlock): Line {
    const isLast = raw.endsWith(place.text, place.at, lineEnd(place.text, place.at, place.to));
    if (isLast) this.#raw = undefined;
    const isHeld = isLast || this.#numLines++ === 0;
    const strength = isHeld ? Strength.glue : this.#isAfterBlank ? Strength.part : Strength.line;
    return verbatim(place, strength, raw.isProse);
  }

  #readBlock(place: Place): Line {
    const { text, first, to, isInItem, indent } = place;
    if (indent >= 4 && !isInItem) return this.#readIndented(place);
    const heading = isInItem ? undefined : headingAt(text, first, to);
    if (heading !== undefined) return this.#readHeading(place, heading);
    const raw = this.#openRaw(place);
    if (raw !== undefined) return this.#readOpening(place, raw);
    if (text.charCodeAt(first) === GREATER) return this.#readQuote(place);
    if (isThematicBreak(text, first, to)) {
      this.#open(place, "none");
      return prose(place, Strength.glue);
    }
    const marker = listMarker(text, first, to);
    if (marker !== undefined && this.#mayOpenItem(marker)) return this.#readItem(place, marker);
    return this.#readParagraph(place);
  }

  /** Strength of the boundary in front of a block that the line opens. */
  #open(place: Place, block: Block): number {
    if (!place.isInItem) this.#itemIndent = 0;
    this.#block = block;
    if (this.#headingAbove > 0) return Strength.glue;
    return place.isInItem ? Strength.part : Strength.block;
  }

  /** A heading without text above the next deeper one stays with it. */
  #readHeading(place: Place, heading: Heading): Line {
    this.#open(place, "none");
    const isHeld = this.#headingAbove > 0 && heading.level > this.#headingAbove;
    const strength = isHeld ? Strength.glue : headingStrength(heading.level);
    const { first } = place;
    return { start: first, content: first, strength, isProse: false, heading };
  }

  #openRaw({ text, at, first, to }: Place): RawBlock | undefined {
    if (text.charCodeAt(first) === LESS) return openHtml(text, first, to);
    return openFence(text, first, to) ?? (this.#isFirst ? openFrontMatter(text, at, to) : undefined);
  }

  #readOpening(place: Place, raw: RawBlock): Line {
    const { text, first, to } = place;
    const strength = this.#open(place, "none");
    const isOneLine = text.charCodeAt(first) === LESS && raw.endsWith(text, first, lineEnd(text, first, to));
    if (!isOneLine) this.#raw = raw;
    this.#numLines = raw.isProse ? 1 : 0;
    return verbatim(place, strength);
  }

  #readQuote(place: Place): Line {
    const isContinued = this.#block === "quote" && !this.#isAfterBlank;
    const inside = this.#isQuoteBlank ? Strength.part : Strength.soft;
    const strength = isContinued ? inside : this.#open(place, "quote");
    const content = quoteContent(place.text, place.first, place.to);
    this.#isQuoteBlank = skipIndent(place.text, content, place.to) === lineEnd(place.text, content, place.to);
    return { start: place.first, content, strength, isProse: true, heading: undefined };
  }

  #mayOpenItem(marker: ListMarker): boolean {
    const isInParagraph = this.#block === "paragraph" && !this.#isAfterBlank && this.#itemIndent === 0;
    return marker.mayInterrupt || !isInParagraph;
  }

  #readItem(place: Place, marker: ListMarker): Line {
    const isNext = !place.isInItem && this.#itemIndent > 0 && this.#headingAbove === 0;
    const strength = this.#open(place, "paragraph");
    if (!place.isInItem) this.#itemIndent = place.indent + marker.width;
    this.#raw = openFence(place.text, marker.content, place.to);
    this.#numLines = 0;
    return verbatim(place, isNext ? Strength.item : strength, true, marker.content);
  }

  #readIndented(place: Place): Line {
    if (this.#isParagraph()) return prose(place, Strength.soft);
    const isContinued = this.#block === "code";
    const inside = this.#isAfterBlank ? Strength.part : Strength.line;
    return verbatim(place, isContinued ? inside : this.#open(place, "code"));
  }

  #isParagraph(): boolean {
    return !this.#isAfterBlank && (this.#block === "paragraph" || this.#block === "quote");
  }

  #readParagraph(place: Place): Line {
    if (this.#block === "table" && !this.#isAfterBlank) return this.#readRow(place);
    if (this.#isParagraph()) {
      this.#block = "paragraph";
      return prose(place, Strength.soft);
    }
    const { text, first, to } = place;
    const end = lineEnd(text, first, to);
    const level = place.isInItem ? 0 : underlineLevel(text, end, to);
    if (level > 0) {
      this.#isUnderline = true;
      return this.#readHeading(place, { level, title: headingTitle(text.slice(first, end)) });
    }
    const isTable = isTableHead(text, first, end, to);
    this.#numLines = 0;
    const strength = this.#open(place, isTable ? "table" : "paragraph");
    return prose(place, strength, !isTable);
  }

  /** The head, the delimiter row and the first row stay together. */
  #readRow(place: Place): Line {
    const strength = this.#numLines++ < 2 ? Strength.glue : Strength.line;
    return prose(place, strength, false);
  }
}

/** The heading that the line is whose text begins at `first`, in Markdown or HTML. */
function headingAt(text: string, first: number, to: number): Heading | undefined {
  const code = text.charCodeAt(first);
  if (code === LESS && text.charAt(first + 1).toLowerCase() === "h") {
    return htmlHeading(text.slice(first, lineEnd(text, first, to)));
  }
  const level = atxLevel(text, first, to);
  return level > 0 ? { level, title: headingTitle(text.slice(first + level, lineEnd(text, first, to))) } : undefined;
}

/** A line whose indentation means nothing. */
function prose({ first }: Place, strength: number, isProse = true): Line {
  return { start: first, content: first, strength, isProse, heading: undefined };
}

/** A line that keeps its indentation. */
function verbatim({ at, first }: Place, strength: number, isProse = false, content = first): Line {
  return { start: first - at > MAX_INDENT ? first : at, content, strength, isProse, heading: undefined };
}
