/** @file The structure tree of a tagged page (ISO 32000-1, 14.7 and 14.8): what each part of it is. */
import type { WrappedPdfiumModule } from "@embedpdf/pdfium";

/** An element of the tree; its parts in order are marks of the page's content, and elements. */
export interface StructureElement {
  /** A standard type: `P`, `H1`, `Table`. */
  readonly type: string;
  readonly parts: readonly (number | StructureElement)[];
}

/** A tree that goes deeper, as one that holds itself does, is read so far. */
const MOST_LEVELS = 100;

/** The elements at the top of the page's tree; none for a page without tags. */
export function structureOf(pdfium: WrappedPdfiumModule, page: number): StructureElement[] {
  const tree = pdfium.FPDF_StructTree_GetForPage(page);
  if (tree === 0) return [];
  try {
    const handles = Array.from({ length: Math.max(0, pdfium.FPDF_StructTree_CountChildren(tree)) }, (_, i) =>
      pdfium.FPDF_StructTree_GetChildAtIndex(tree, i),
    );
    return handles.filter((handle) => handle !== 0).map((handle) => elementOf(pdfium, handle, 1));
  } finally {
    pdfium.FPDF_StructTree_Close(tree);
  }
}

function elementOf(pdfium: WrappedPdfiumModule, handle: number, level: number): StructureElement {
  const parts: (number | StructureElement)[] = [];
  const count = level < MOST_LEVELS ? pdfium.FPDF_StructElement_CountChildren(handle) : 0;
  for (let i = 0; i < count; i++) {
    const mark = pdfium.FPDF_StructElement_GetChildMarkedContentID(handle, i);
    if (mark >= 0) parts.push(mark);
    const child = pdfium.FPDF_StructElement_GetChildAtIndex(handle, i);
    if (child !== 0) parts.push(elementOf(pdfium, child, level + 1));
  }
  return { type: typeOf(pdfium, handle), parts };
}

function typeOf(pdfium: WrappedPdfiumModule, handle: number): string {
  const numBytes = pdfium.FPDF_StructElement_GetType(handle, 0, 0);
  if (numBytes === 0) return "";
  const { wasmExports, UTF16ToString } = pdfium.pdfium;
  const at = wasmExports.malloc(numBytes);
  try {
    pdfium.FPDF_StructElement_GetType(handle, at, numBytes);
    return UTF16ToString(at);
  } finally {
    wasmExports.free(at);
  }
}

/** All marks of an element, in order; `stop` leaves out elements with all in them. */
export function marksOf(
  { parts }: StructureElement,
  stop: (element: StructureElement) => boolean = () => false,
): number[] {
  return parts.flatMap((part) => {
    if (typeof part === "number") return [part];
    return stop(part) ? [] : marksOf(part, stop);
  });
}

/** The nearest elements below that a test accepts, in order. */
export function findAll({ parts }: StructureElement, test: (element: StructureElement) => boolean): StructureElement[] {
  return parts.flatMap((part) => {
    if (typeof part === "number") return [];
    return test(part) ? [part] : findAll(part, test);
  });
}
