/** @file Source code by its syntax tree: definitions, statements, lines. */
import type { SyntaxNode, SyntaxNodeRef, Tree } from "@lezer/common";
import { skipSpace } from "../text/characters.js";
import type { ChunkerDef, ChunkOptions } from "./chunk.js";
import { openSection, rootSection, type Section } from "./headings.js";
import { type Language, languages } from "./languages/index.js";
import { type Mark, type Outline, type Outliner, OutlineUnits, SEGMENT } from "./outline.js";
import { packUnits, streamed } from "./streamed.js";
import { headingStrength, Strength } from "./strength.js";
import { structureBreaks } from "./structure-breaks.js";

export interface CodeOptions extends ChunkOptions {
  /** Default "typescript", which reads JavaScript without JSX too. */
  readonly language?: keyof typeof languages;
}

/**
 * Classes, functions and methods stay whole where they fit, with the comments, decorators and `export` in front of them;
 * what is too large is cut between its parts, then statements, then lines. `headingPath` holds the names of the definitions
 * around a chunk's first character. Errors of syntax cost structure where they are, nothing else; a text
 * of another language, or nested in more than 1,500 levels, is cut between its lines.
 * The tree is that of 262,144 code units at a time; a definition that is larger is left unnamed in what follows its cut.
 * @throws ConfigError if `maxTokens` or `overlapTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const code: ChunkerDef<CodeOptions> = streamed("code", (window, options) => {
  const language: Language = languages[options.language ?? "typescript"];
  return packUnits(window, new OutlineUnits(window, codeOutliner(language)), structureBreaks, options);
});

const codeOutliner = (language: Language): Outliner => ({
  isProse: false,
  outline: (text, isLast) => outlineCode(text, isLast, language),
});

/** Code units that are parsed to see whether a text is of the language at all. */
const SAMPLE = 4096;
/** A text with more errors than one in so many code units is of another language. */
const MIN_ERROR_GAP = 32;

function outlineCode(text: string, isLast: boolean, language: Language): Outline {
  // recovering from errors in each line takes a hundred times as long as parsing
  if (!isOf(language, text.slice(0, SAMPLE))) return { marks: [], end: text.length };
  const walk = new Walk(text, language);
  const tree = treeOf(text, language);
  tree?.iterate({ enter: (node) => walk.enter(node), leave: (node) => walk.leave(node) });
  if (!tree || walk.depth > MAX_DEPTH) return { marks: [], end: text.length };
  const { marks, topLevel } = walk;
  const end = isLast ? text.length : (topLevel.findLast((at) => at > 0) ?? marks.findLast(({ at }) => at > 0)?.at);
  return { marks, end: end ?? SEGMENT };
}

/**
 * Levels of a tree. Hand-written code has some dozens; the parser calls itself once for each, and runs out of stack at a few
 * thousand, sooner or later as the code around it is compiled. Far below, so that a text is cut the same way every time.
 */
const MAX_DEPTH = 1500;

/** Undefined where it is too deep to be made. */
function treeOf(text: string, { parser }: Language): Tree | undefined {
  try {
    return parser.parse(text);
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

/** Code units between two boundaries in the middle of one line. */
const MIN_STRETCH = 256;

function isOf({ parser }: Language, sample: string): boolean {
  let numErrors = 0;
  parser.parse(sample).iterate({
    enter: ({ type }) => {
      if (type.isError) numErrors++;
    },
  });
  return numErrors <= 4 + sample.length / MIN_ERROR_GAP;
}

/** A definition or statement that is open. */
interface Open {
  readonly section: Section;
  /** Definitions and, inside of the innermost, statements around. */
  readonly definitions: number;
  readonly statements: number;
}

class Walk {
  readonly marks: Mark[] = [];
  /** Where the parts of the file begin. */
  readonly topLevel: number[] = [];
  readonly #text: string;
  readonly #language: Language;
  readonly #lineStarts: number[] = [0];
  readonly #open: { readonly depth: number; readonly state: Open }[] = [];
  /** Levels of the deepest node. */
  depth = 0;
  #depth = 0;
  #state: Open = { section: rootSection, definitions: 0, statements: 0 };
  /** Comments that belong to what follows them at once. */
  #comments: { readonly start: number; end: number } | undefined;
  /** Start of a wrapper whose definition is to come. */
  #wrapper = -1;

  constructor(text: string, language: Language) {
    this.#text = text;
    this.#language = language;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
  }

  enter(node: SyntaxNodeRef): void {
    const { name, from } = node;
    this.#depth++;
    this.depth = Math.max(this.depth, this.#depth);
    if (name.endsWith("Comment")) this.#addComment(node);
    else if (this.#isDefinition(node)) this.#define(node);
    else if (this.#language.wrappers.has(name) && this.#wraps(node)) this.#wrapper = from;
    else if (node.type.is("Statement") && name !== "Block" && name !== ";") this.#addStatement(node);
  }

  leave({ to }: SyntaxNodeRef): void {
    const top = this.#open.at(-1);
    if (top?.depth !== this.#depth--) return;
    this.#open.pop();
    const wasDefinition = top.state.section !== this.#state.section;
    if (wasDefinition) this.#flush();
    this.#state = top.state;
    if (wasDefinition) this.#mark(to, Strength.glue, 0);
  }

  #isDefinition(node: SyntaxNodeRef): boolean {
    const { definitions, valueDefinitions } = this.#language;
    if (definitions.has(node.name)) return true;
    return valueDefinitions?.node === node.name && childOf(node, valueDefinitions.values) !== undefined;
  }

  #wraps(node: SyntaxNodeRef): boolean {
    for (let child = node.node.firstChild; child !== null; child = child.nextSibling) {
      if (this.#isDefinition(child)) return true;
    }
    return false;
  }

  #define(node: SyntaxNodeRef): void {
    const { names } = this.#language;
    const name = childOf(node, names);
    const title = name === undefined ? "" : this.#text.slice(name.from, name.to);
    const at = this.#startOf(this.#wrapper >= 0 ? this.#wrapper : node.from);
    this.#wrapper = -1;
    if (this.#isTop) this.topLevel.push(at);
    this.#open.push({ depth: this.#depth, state: this.#state });
    const { section, definitions } = this.#state;
    const level = Math.min(6, definitions + 1);
    this.#state = { section: openSection(section, level, title), definitions: definitions + 1, statements: 0 };
    this.#mark(at, headingStrength(level), level);
  }

  #addStatement(node: SyntaxNodeRef): void {
    const at = this.#startOf(node.from);
    const strength = this.#statementStrength(at);
    // lines without end are cut between statements, but not at each
    if (strength > Strength.clause || at - (this.marks.at(-1)?.at ?? 0) >= MIN_STRETCH) {
      if (this.#isTop) this.topLevel.push(at);
      this.#mark(at, strength, 0);
    }
    this.#open.push({ depth: this.#depth, state: this.#state });
    this.#state = { ...this.#state, statements: this.#state.statements + 1 };
  }

  get #isTop(): boolean {
    return this.#state.definitions + this.#state.statements === 0;
  }

  /** A blank line in front makes a boundary stronger; one in the middle of a line is among the weakest. */
  #statementStrength(at: number): number {
    const { definitions, statements } = this.#state;
    const line = this.#lineAt(at);
    if (this.#lineStarts[line] !== at) return Strength.clause;
    const isAfterBlank = line > 0 && isBlank(this.#text, this.#lineStarts[line - 1]!, at);
    const ranks = [Strength.line, Strength.part, Strength.item, Strength.block];
    const rank = statements > 0 ? 0 : definitions > 0 ? 1 : 2;
    return ranks[rank + (isAfterBlank ? 1 : 0)]!;
  }

  #addComment({ from, to }: SyntaxNodeRef): void {
    if (this.#comments !== undefined && this.#touches(this.#comments.end, from)) {
      this.#comments.end = to;
      return;
    }
    this.#flush();
    const start = this.#lineStart(from);
    // one that follows code on its line belongs to it
    if (this.#lineStarts[this.#lineAt(start)] === start) this.#comments = { start, end: to };
  }

  #flush(): void {
    if (this.#comments !== undefined)
      this.#mark(this.#comments.start, this.#statementStrength(this.#comments.start), 0);
    this.#comments = undefined;
  }

  /** Where a part begins whose first token is at `from`: at the comments above it, else at its indentation. */
  #startOf(from: number): number {
    const comments = this.#comments;
    if (comments !== undefined && this.#touches(comments.end, from)) {
      this.#comments = undefined;
      return comments.start;
    }
    this.#flush();
    return this.#lineStart(from);
  }

  /** The start of the line, if only white space is between; else the place itself. */
  #lineStart(from: number): number {
    const start = this.#lineStarts[this.#lineAt(from)]!;
    return isBlank(this.#text, start, from) ? start : from;
  }

  /** Number of the line that holds a place. */
  #lineAt(at: number): number {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lineStarts[middle]! <= at) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Whether only white space without a blank line lies between. */
  #touches(end: number, from: number): boolean {
    return isBlank(this.#text, end, from) && this.#lineAt(from) - this.#lineAt(end) <= 1;
  }

  #mark(at: number, strength: number, level: number): void {
    this.marks.push({ at, strength, section: this.#state.section, level, isProse: false });
  }
}

const isBlank = (text: string, start: number, end: number): boolean => skipSpace(text, start, end) === end;

function childOf({ node }: SyntaxNodeRef, names: ReadonlySet<string>): SyntaxNode | undefined {
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (names.has(child.name)) return child;
  }
  return undefined;
}
