/** @file Finds what a page is about, and drops what surrounds it on every page of a site. */
import { attribute, childrenOf, type Element, elementsOf, isElement, type Node, type Page, textOf } from "./page.js";

export interface MainContent {
  readonly root: Node | Page;
  /** The page's title. */
  readonly title: string;
  /** Whether an element is left out, with all in it. */
  isDropped(element: Element): boolean;
}

/** What no reader of the page sees, or sees as a control. */
const SILENT = new Set(
  `script style noscript template head iframe object embed svg canvas audio video select button input textarea datalist
  dialog`.split(/\s+/),
);
const AROUND = new Set(["nav", "footer"]);
const AROUND_ROLES = new Set([
  "navigation",
  "contentinfo",
  "search",
  "menu",
  "menubar",
  "toolbar",
  "dialog",
  "alertdialog",
]);
/** Left out beside the content, kept inside it: an article has a header of its own, documentation has notes. */
const BESIDE = new Set(["header", "aside"]);
const BESIDE_ROLES = new Set(["banner", "complementary"]);

/** Share of the page's text that `main` or a sole `article` has to hold to be taken for the content. */
const LEAST_SHARE = 0.25;

export function mainContent(page: Page): MainContent {
  const elements = [...elementsOf(page)];
  const titleElement = elements.find(({ tagName }) => tagName === "title");
  const title = (titleElement ? textOf(titleElement) : "").replace(/\s+/g, " ").trim();
  const body = elements.find(({ tagName }) => tagName === "body");
  const whole = body ?? page;
  const total = readableLength(whole, isDroppedAround);
  const found = candidates(elements).find((element) => readableLength(element, isDroppedInside) >= total * LEAST_SHARE);
  if (found) return { root: found, title, isDropped: isDroppedInside };
  return { root: whole, title, isDropped: isDroppedAround };
}

/** What marks the content, surest first. */
function candidates(elements: readonly Element[]): Element[] {
  const mains = elements.filter((element) => element.tagName === "main" || attribute(element, "role") === "main");
  const articles = elements.filter(({ tagName }) => tagName === "article");
  return [...(mains.length === 1 ? mains : []), ...(articles.length === 1 ? articles : [])];
}

function isDroppedInside(element: Element): boolean {
  const role = attribute(element, "role") ?? "";
  if (SILENT.has(element.tagName) || AROUND.has(element.tagName) || AROUND_ROLES.has(role)) return true;
  return isHidden(element);
}

function isDroppedAround(element: Element): boolean {
  if (isDroppedInside(element)) return true;
  const isBeside = BESIDE.has(element.tagName) || BESIDE_ROLES.has(attribute(element, "role") ?? "");
  // a page without <main> may have its title in the header
  return isBeside && ![...elementsOf(element)].some(({ tagName }) => tagName === "h1");
}

function isHidden(element: Element): boolean {
  if (attribute(element, "hidden") !== undefined || attribute(element, "aria-hidden") === "true") return true;
  return /display\s*:\s*none|visibility\s*:\s*hidden/i.test(attribute(element, "style") ?? "");
}

/** Characters that are left of a node. */
function readableLength(node: Node | Page, isDropped: (element: Element) => boolean): number {
  if ("value" in node) return node.value.trim().length;
  if ("tagName" in node && isDropped(node)) return 0;
  return childrenOf(node).reduce((sum, child) => {
    return sum + (isElement(child) || "value" in child ? readableLength(child, isDropped) : 0);
  }, 0);
}
