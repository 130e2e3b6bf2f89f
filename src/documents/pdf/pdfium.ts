/** @file PDFium, Chromium's PDF library as WebAssembly: an instance per document, so that no file can harm the next. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { init, type WrappedPdfiumModule } from "@embedpdf/pdfium";
import { messageOf } from "../../base/errors.js";
import type { Refusal } from "../document.js";

declare global {
  /** What is used here of what Node has and its types lack. */
  namespace WebAssembly {
    function compile(bytes: Uint8Array): Promise<Module>;
    function instantiate(module: Module, imports: object): Promise<Instance>;
    interface Instance {
      readonly exports: object;
    }
    class RuntimeError extends Error {}
  }
}

/** Compiled when a first PDF is read; instances share it. */
const compiled = await WebAssembly.compile(
  await readFile(createRequire(import.meta.url).resolve("@embedpdf/pdfium/pdfium.wasm")),
);

/** PDFium's reasons (fpdfview.h) that concern a password or other protection. */
const ERR_PASSWORD = 4;
const ERR_SECURITY = 5;
const OBJECT_IMAGE = 3;

/** An open document and the memory of its own that calls write results into. */
export interface OpenPdf {
  readonly pdfium: WrappedPdfiumModule;
  readonly numPages: number;
  /** Calls `read` with the page's handle, and closes the page. */
  withPage<T>(index: number, read: (page: number) => T): T;
}

/** What PDFium could not do with a file. */
export class DamagedPdf extends Error {}

/** Opens a document; its memory is the garbage collector's when nothing refers to it. */
export async function openPdf(bytes: Uint8Array): Promise<OpenPdf | Refusal> {
  const pdfium = await instantiate();
  const at = pdfium.pdfium.wasmExports.malloc(bytes.length);
  if (at === 0) return { reason: "damaged", detail: `is larger than PDFium's memory: ${bytes.length} bytes` };
  pdfium.pdfium.HEAPU8.set(bytes, at);
  const file = pdfium.FPDF_LoadMemDocument64(at, bytes.length, "");
  if (file === 0) return refusalOf(pdfium.FPDF_GetLastError());
  const numPages = pdfium.FPDF_GetPageCount(file);
  if (numPages < 1) return { reason: "damaged", detail: "is not a readable PDF: it has no pages" };
  return {
    pdfium,
    numPages,
    withPage: (index, read) => {
      const page = pdfium.FPDF_LoadPage(file, index);
      if (page === 0) throw new DamagedPdf(`page ${index + 1} cannot be read`);
      try {
        return read(page);
      } finally {
        pdfium.FPDF_ClosePage(page);
      }
    },
  };
}

async function instantiate(): Promise<WrappedPdfiumModule> {
  const pdfium = await init({
    instantiateWasm: (imports, onInstance) => {
      void WebAssembly.instantiate(compiled, imports).then((instance) => onInstance(instance));
      return {};
    },
    print: () => {},
    printErr: () => {},
  });
  pdfium.PDFiumExt_Init();
  return pdfium;
}

function refusalOf(code: number): Refusal {
  if (code === ERR_PASSWORD) return { reason: "encrypted", detail: "needs a password; save a copy without one" };
  if (code === ERR_SECURITY) return { reason: "encrypted", detail: "is protected in a way that PDFium does not know" };
  return { reason: "damaged", detail: `is not a readable PDF (PDFium's error ${code})` };
}

/** What a trap inside WebAssembly means for the document. */
export function refusalOfThrown(thrown: unknown): Refusal | undefined {
  if (thrown instanceof DamagedPdf || thrown instanceof WebAssembly.RuntimeError) {
    return { reason: "damaged", detail: messageOf(thrown) };
  }
  return undefined;
}

/** Whether the page shows a picture. */
export function hasPicture(pdfium: WrappedPdfiumModule, page: number): boolean {
  for (let i = pdfium.FPDFPage_CountObjects(page) - 1; i >= 0; i--) {
    if (pdfium.FPDFPageObj_GetType(pdfium.FPDFPage_GetObject(page, i)) === OBJECT_IMAGE) return true;
  }
  return false;
}
