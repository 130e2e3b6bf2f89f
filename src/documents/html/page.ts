/** @file A page as a tree, and what readers ask of its nodes. */
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from "parse5";

export type Node = DefaultTreeAdapterTypes.ChildNode;
export type Element = DefaultTreeAdapterTypes.Element;
export type Page = DefaultTreeAdapterTypes.Document;

/** A page that nests deeper than browsers allow. */
export class TooDeep extends Error {}

/** Chromium's limit; without one, the time to parse grows with the square of the depth. */
const MOST_LEVELS = 512;

/** @throws TooDeep beyond 512 levels. */
export function parsePage(text: string): Page {
  let level = 0;
  const treeAdapter = {
    ...defaultTreeAdapter,
    onItemPush: () => {
      level++;
      if (level > MOST_LEVELS) throw new TooDeep(`nests deeper than ${MOST_LEVELS} elements`);
    },
    onItemPop: () => {
      level--;
    },
  };
  return parse(text, { treeAdapter });
}

export function isElement(node: Node): node is Element {
  return "tagName" in node;
}

export function childrenOf(node: Node | Page): readonly Node[] {
  return "childNodes" in node ? node.childNodes : [];
}

export function attribute({ attrs }: Element, name: string): string | undefined {
  return attrs.find((attr) => attr.name === name)?.value;
}

/** Elements below a node, in the order of the page. */
export function* elementsOf(node: Node | Page): Generator<Element> {
  for (const child of childrenOf(node)) {
    if (!isElement(child)) continue;
    yield child;
    yield* elementsOf(child);
  }
}

/** All text below a node. */
export function textOf(node: Node | Page): string {
  if ("value" in node) return node.value;
  return childrenOf(node).map(textOf).join("");
}
