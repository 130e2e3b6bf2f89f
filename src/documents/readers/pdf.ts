/** @file PDF as Markdown with its pages: by its tags where it has them, else by where lines stand and how large they are. */
import type { Reader } from "../document.js";
import { markdownOf } from "../markdown-writer.js";

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
      const { pdfium, numPages, withPage } = opened;
      const { blocks, emptyPages } = documentBlocks(opened);
      const result = markdownOf(blocks, numPages);
      const picturePages = emptyPages.filter((page) => withPage(page - 1, (handle) => hasPicture(pdfium, handle)));
      if (picturePages.length === 0) return result;
      if (result.text !== "") return { ...result, picturePages };
      return { reason: "scan without text", detail: "its pages are pictures: it is a scan; run OCR on it first" };
    } catch (error) {
      const refusal = refusalOfThrown(error);
      if (refusal) return refusal;
      throw error;
    }
  },
};
