/** @file The blocks of a page's content. */
import type { Block } from "../markdown-writer.js";
import type { MainContent } from "./main-content.js";
import { attribute, childrenOf, type Element, elementsOf, isElement, type Node, textOf } from "./page.js";
import { rowsOf } from "./table.js";

/** Elements whose text is part of a line. All others begin a block. */
const INLINE = new Set(
  `a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark math meter nobr output picture q
  rb rp rt ruby s samp slot small span strike strong sub sup time tt u var wbr`.split(/\s+/),
);
const CODE = new Set(["code", "kbd", "samp", "tt"]);

/** Blocks in the order of the page; its title is the first heading where the content has none of level 1. */
export function blocksOf(content: MainContent): Block[] {
  const { root, title, isDropped } = content;
  const hasHeading = [...elementsOf(root)].some((element) => element.tagName === "h1" && !isDropped(element));
  const reading = new Reading(isDropped);
  if (!hasHeading && title !== "") reading.blocks.push({ kind: "heading", level: 1, text: title });
  reading.readChildren(root);
  reading.endParagraph();
  return reading.blocks;
}

interface List {
  readonly depth: number;
  /** Number of the next item; undefined for bullets. */
  next: number | undefined;
}

class Reading {
  readonly blocks: Block[] = [];
  readonly #isDropped: MainContent["isDropped"];
  /** Text of the block that is being read. */
  #text = "";
  #list: List | undefined;
  /** The item that the next paragraph opens. */
  #item: Extract<Block, { kind: "item" }> | undefined;

  constructor(isDropped: MainContent["isDropped"]) {
    this.#isDropped = isDropped;
  }

  readChildren(node: Parameters<typeof childrenOf>[0]): void {
    for (const child of childrenOf(node)) this.#read(child);
  }

  /** Ends the line of text, and begins none. */
  endParagraph(): void {
    const text = lineOf(this.#text);
    this.#text = "";
    if (text === "") return;
    this.blocks.push(this.#item ? { ...this.#item, text } : { kind: "paragraph", text });
    this.#item = undefined;
  }

  #read(node: Node): void {
    if (!isElement(node)) {
      if ("value" in node) this.#text += node.value.replace(/\s+/g, " ");
    } else if (!this.#isDropped(node)) this.#element(node);
  }

  #element(element: Element): void {
    const { tagName } = element;
    if (tagName === "br") this.#text += "\n";
    else if (INLINE.has(tagName)) this.#inline(element);
    else {
      this.endParagraph();
      this.#block(element);
      this.endParagraph();
    }
  }

  #inline(element: Element): void {
    if (element.tagName === "img") this.#text += attribute(element, "alt") ?? "";
    else if (element.tagName === "math") this.#text += mathOf(element);
    else if (CODE.has(element.tagName)) this.#text += codeOf(lineOf(textOf(element)));
    else if (element.tagName !== "a" || !isAnchorMark(textOf(element))) this.readChildren(element);
  }

  #block(element: Element): void {
    const { tagName } = element;
    const level = /^h([1-6])$/.exec(tagName)?.[1];
    if (level !== undefined) this.#heading(element, Number(level));
    else if (tagName === "pre") this.#code(element);
    else if (tagName === "ul" || tagName === "ol") this.#readList(element);
    else if (tagName === "li") this.#readItem(element);
    else if (tagName === "table") this.#table(element);
    else this.readChildren(element);
  }

  #heading(element: Element, level: number): void {
    const inner = new Reading(this.#isDropped);
    inner.readChildren(element);
    inner.endParagraph();
    const text = inner.blocks.map((block) => ("text" in block ? block.text : "")).join(" ");
    if (text !== "") this.blocks.push({ kind: "heading", level, text });
  }

  #code(element: Element): void {
    const text = textOf(element).replace(/^\n|\s+$/g, "");
    const classes = [element, ...elementsOf(element)].map((part) => attribute(part, "class") ?? "").join(" ");
    const language = /\b(?:language|lang|highlight-source)-([\w+#-]+)/.exec(classes)?.[1];
    if (text.trim() !== "") this.blocks.push({ kind: "code", text, ...(language && { language }) });
  }

  #readList(element: Element): void {
    const outer = this.#list;
    const start = Number(attribute(element, "start") ?? 1);
    const first = Number.isSafeInteger(start) ? start : 1;
    this.#list = { depth: (outer?.depth ?? -1) + 1, next: element.tagName === "ol" ? first : undefined };
    this.readChildren(element);
    this.endParagraph();
    this.#list = outer;
    this.#item = undefined;
  }

  #readItem(element: Element): void {
    const list = this.#list ?? { depth: 0, next: undefined };
    const marker = list.next === undefined ? "-" : `${list.next}.`;
    if (list.next !== undefined) list.next++;
    this.#item = { kind: "item", depth: list.depth, marker, text: "" };
    this.readChildren(element);
  }

  #table(element: Element): void {
    const rows = rowsOf(element, (cell) => this.#cellText(cell));
    if (rows === undefined) {
      this.readChildren(element);
      return;
    }
    const caption = childrenOf(element).find((child) => isElement(child) && child.tagName === "caption");
    if (caption) this.#read(caption);
    this.endParagraph();
    if (rows.length > 0) this.blocks.push({ kind: "table", rows });
  }

  #cellText(cell: Element): string {
    const inner = new Reading(this.#isDropped);
    inner.readChildren(cell);
    inner.endParagraph();
    return inner.blocks.map((block) => ("text" in block ? block.text : "")).join(" ");
  }
}

/** Spaces as Markdown has them: one between words, none around line breaks. */
function lineOf(text: string): string {
  return text
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .trim();
}

function codeOf(text: string): string {
  return text === "" || text.includes("`") ? text : `\`${text}\``;
}

/** A formula in its own notation, where the page has it. */
function mathOf(element: Element): string {
  const tex = [...elementsOf(element)].find((part) => attribute(part, "encoding") === "application/x-tex");
  return tex ? textOf(tex) : (attribute(element, "alttext") ?? textOf(element).replace(/\s+/g, " "));
}

/** The sign beside a heading that links to it. */
function isAnchorMark(text: string): boolean {
  return /^\s*[#¶§🔗]\s*$/u.test(text);
}
