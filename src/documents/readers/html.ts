/** @file HTML as Markdown: the main content with its headings, lists, tables and code; no scripts, no navigation. */
import { decodeStrictly, decodeText } from "../decode.js";
import type { Reader, ReadResult } from "../document.js";
import { markdownOf } from "../markdown-writer.js";

/** Parsed by the WHATWG's algorithm (parse5), so that broken markup is read as browsers read it. */
export const html: Reader = {
  name: "html",
  mediaType: "text/markdown",
  extensions: [".html", ".htm", ".xhtml"],
  fileNames: [],
  async read(bytes) {
    const decoded = decodeHtml(bytes);
    if ("reason" in decoded) return decoded;
    const [{ parsePage, TooDeep }, { mainContent }, { blocksOf }] = await Promise.all([
      import("../html/page.js"),
      import("../html/main-content.js"),
      import("../html/blocks.js"),
    ]);
    try {
      return markdownOf(blocksOf(mainContent(parsePage(decoded.text))));
    } catch (error) {
      if (error instanceof TooDeep) return { reason: "damaged", detail: error.message };
      throw error;
    }
  },
};

/** The encoding that a page declares counts where its bytes are not UTF-8. */
function decodeHtml(bytes: Uint8Array): ReadResult {
  const decoded = decodeText(bytes);
  if (!("reason" in decoded) || decoded.reason !== "not UTF-8") return decoded;
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 2048));
  const declared = /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(head)?.[1];
  if (declared === undefined) return decoded;
  const text = decodeStrictly(bytes, declared);
  if (text !== undefined) return { text };
  return {
    reason: "not UTF-8",
    detail: `declares ${declared} and has bytes that do not belong to it; save it as UTF-8`,
  };
}
