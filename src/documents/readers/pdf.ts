/** @file PDF as Markdown with its pages: by its tags where it has them, else by where lines stand and how large they are. */
import type { Reader } from "../document.js";
import { markdownOf } from "../markdown-writer.js";

/** Of a scan, so many pages are looked at for a picture. */
const PAGES_TO_LOOK_AT = 3;

export const pdf: Reader = {
  name: "pdf",
  mediaType: "text/markdown",
  extensions: [".pdf"],
  fileNames: [],
  maxBytes: 256 * 1024 * 1024,
  async read(bytes) {
    const [{ hasPicture, openPdf, refusalOfThrown }, { documentBlocks }] = await Promise.all([
      import("../pdf/pdfium.js"),
      import("../pdf/document-blocks.js"),
    ]);
    try {
      const opened = await openPdf(bytes);
      if ("reason" in opened) return opened;
      const result = markdownOf(documentBlocks(opened), opened.numPages);
      if (result.text !== "") return result;
      const { pdfium, numPages, withPage } = opened;
      const looked = Array.from({ length: Math.min(numPages, PAGES_TO_LOOK_AT) }, (_, i) => i);
      if (!looked.some((i) => withPage(i, (page) => hasPicture(pdfium, page)))) return result;
      return { reason: "scan without text", detail: "its pages are pictures: it is a scan; run OCR on it first" };
    } catch (error) {
      const refusal = refusalOfThrown(error);
      if (refusal) return refusal;
      throw error;
    }
  },
};
