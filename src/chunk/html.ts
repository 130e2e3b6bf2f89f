/** @file HTML source by its elements. */
import { type DefaultTreeAdapterTypes as Dom, parse } from "parse5";
import type { ChunkerDef, ChunkOptions } from "./chunk.js";
import { headingTitle, openSection, rootSection, type Section } from "./headings.js";
import { type Mark, type Outline, type Outliner, OutlineUnits } from "./outline.js";
import { packUnits, streamed } from "./streamed.js";
import { headingStrength, Strength } from "./strength.js";
import { structureBreaks } from "./structure-breaks.js";

/**
 * Cuts HTML source, tags included, where `recursive` would cut the Markdown that says the same: at headings h1 to h6, then
 * block elements, items and rows, then sentences. Opening tags stay with what they open. Scripts and style sheets share no
 * chunk with text. Parsed as browsers do, 262,144 code units at a time.
 * @throws ConfigError if `maxTokens` or `overlapTokens` is out of range.
 * @throws CapacityError if one code point has more than `maxTokens` tokens.
 */
export const html: ChunkerDef<ChunkOptions> = streamed("html", (window, options) =>
  packUnits(window, new OutlineUnits(window, new HtmlOutliner()), structureBreaks, options),
);

const words = (list: string): string[] => list.split(/\s+/);
/** Elements that begin a line of their own, and how strongly: those of the HTML standard's "flow content" with a box. */
const BLOCKS: ReadonlyMap<string, number> = new Map([
  ...words(
    `address article aside blockquote body details dialog div dl fieldset figcaption figure footer form head header hgroup
    hr html legend main menu nav noscript ol p pre search section summary table template textarea title ul`,
  ).map((name) => [name, Strength.block] as const),
  ...words("li dt caption thead tbody tfoot").map((name) => [name, Strength.item] as const),
  ...words("tr option dd").map((name) => [name, Strength.line] as const),
  ...words("script style svg").map((name) => [name, Strength.must] as const),
  ...[1, 2, 3, 4, 5, 6].map((level) => [`h${level}`, headingStrength(level)] as const),
]);
/** Elements whose line breaks and indentation mean something. */
const VERBATIM = new Set(["pre", "script", "style", "textarea"]);
const LONGEST_TITLE = 1024;

class HtmlOutliner implements Outliner {
  readonly isProse = true;
  #section = rootSection;

  outline(text: string, isLast: boolean): Outline {
    const { marks } = new Walk(parse(text, { sourceCodeLocationInfo: true }), this.#section);
    if (isLast) return { marks, end: text.length };
    const late = marks.filter(({ at }) => at > text.length / 2);
    const strongest = late.reduce((max, { strength }) => Math.max(max, strength), 0);
    const next = late.findLast(({ strength }) => strength === strongest) ?? marks.findLast(({ at }) => at > 0);
    if (next !== undefined) this.#section = next.section;
    return { marks, end: next?.at ?? text.length };
  }
}

/** A node to enter, or an element to leave. */
interface Step {
  readonly node: Dom.Node;
  readonly isEnd: boolean;
}

/** Goes through a document in its order and marks what begins. */
class Walk {
  readonly marks: Mark[] = [];
  #section: Section;
  /** Where the first of the tags opened that no text has followed yet; -1 after text. */
  #opened = -1;
  /** Strength of the boundary in front of text that follows the end of a block. */
  #pending: number | undefined;
  #isAfterHeading = false;
  #numVerbatim = 0;
  #numItems = 0;

  constructor(document: Dom.Document, section: Section) {
    this.#section = section;
    // documents nest deeper than calls may
    const steps: Step[] = [{ node: document, isEnd: false }];
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      const { node, isEnd } = step;
      if (isEnd) this.#leave(node);
      else if (node.nodeName === "#text") this.#readText(node as Dom.TextNode);
      else {
        steps.push({ node, isEnd: true });
        this.#enter(node);
        for (const child of childrenOf(node).toReversed()) steps.push({ node: child, isEnd: false });
      }
    }
  }

  #enter(node: Dom.Node): void {
    const { nodeName } = node;
    if (VERBATIM.has(nodeName)) this.#numVerbatim++;
    if (nodeName === "li" || nodeName === "td" || nodeName === "th") this.#numItems++;
    const own = BLOCKS.get(nodeName);
    const at = (node as Dom.Element).sourceCodeLocation?.startOffset;
    if (own === undefined || at === undefined) return;
    if (this.#opened < 0) this.#opened = at;
    const level = own >= Strength.heading && own < Strength.must ? Number(nodeName.charAt(1)) : 0;
    if (level > 0) this.#section = openSection(this.#section, level, titleOf(node));
    const isNested = own === Strength.block && this.#numItems > 0;
    this.#mark(this.#opened, isNested ? Strength.part : own, level);
  }

  #leave(node: Dom.Node): void {
    const { nodeName } = node;
    if (VERBATIM.has(nodeName)) this.#numVerbatim--;
    if (nodeName === "li" || nodeName === "td" || nodeName === "th") this.#numItems--;
    const own = BLOCKS.get(nodeName);
    if (own === undefined) return;
    this.#opened = -1;
    const isHeading = own >= Strength.heading && own < Strength.must;
    this.#isAfterHeading = isHeading;
    this.#pending = Math.max(this.#pending ?? 0, isHeading ? Strength.glue : own);
  }

  #readText({ value, sourceCodeLocation }: Dom.TextNode): void {
    if (value.trim() === "" || !sourceCodeLocation) return;
    if (this.#pending !== undefined) this.#mark(sourceCodeLocation.startOffset, Strength.block, 0);
    this.#opened = -1;
  }

  #mark(at: number, own: number, level: number): void {
    const isHeld = this.#isAfterHeading && own < Strength.heading;
    const left = this.#pending === Strength.must ? Strength.must : 0;
    const strength = Math.max(left, isHeld ? Strength.glue : own);
    this.marks.push({ at, strength, section: this.#section, level, isProse: this.#numVerbatim === 0 });
    this.#pending = undefined;
    this.#isAfterHeading = false;
  }
}

function childrenOf(node: Dom.Node): readonly Dom.Node[] {
  if ("content" in node) return node.content.childNodes;
  return "childNodes" in node ? node.childNodes : [];
}

/** The text of a heading on one line, cut as all titles are. */
function titleOf(heading: Dom.Node): string {
  let title = "";
  const open = [heading];
  for (let node = open.pop(); node !== undefined && title.length < LONGEST_TITLE; node = open.pop()) {
    if (node.nodeName === "#text") title += (node as Dom.TextNode).value;
    open.push(...childrenOf(node).toReversed());
  }
  return headingTitle(title.replace(/\s+/g, " ").trim());
}
