/** @file A table of a page as rows of cells. */
import { attribute, childrenOf, type Element, isElement } from "./page.js";

/** Columns that a cell may span: HTML's own limit. */
const MOST_COLUMNS = 1000;

/**
 * Rows of a table's cells; undefined for one that only lays out the page: by its role, with another table inside, or
 * with a single column.
 */
export function rowsOf(table: Element, textOf: (cell: Element) => string): string[][] | undefined {
  const role = attribute(table, "role");
  if (role === "presentation" || role === "none") return undefined;
  const cells = rowElements(table).map((row) => elements(row, "td", "th"));
  if (cells.some((row) => row.some(hasTable))) return undefined;
  const rows = cells.map((row) => row.flatMap((cell) => [textOf(cell), ...Array<string>(columns(cell) - 1).fill("")]));
  return rows.some(({ length }) => length > 1) ? rows.filter((row) => row.some((text) => text !== "")) : undefined;
}

function rowElements(table: Element): Element[] {
  return elements(table, "tr", "thead", "tbody", "tfoot").flatMap((part) =>
    part.tagName === "tr" ? part : elements(part, "tr"),
  );
}

function elements(parent: Element, ...tagNames: readonly string[]): Element[] {
  return childrenOf(parent).filter((child): child is Element => isElement(child) && tagNames.includes(child.tagName));
}

function columns(cell: Element): number {
  const span = Number(attribute(cell, "colspan") ?? 1);
  return Number.isSafeInteger(span) ? Math.min(Math.max(span, 1), MOST_COLUMNS) : 1;
}

function hasTable(element: Element): boolean {
  return childrenOf(element).some((child) => isElement(child) && (child.tagName === "table" || hasTable(child)));
}
