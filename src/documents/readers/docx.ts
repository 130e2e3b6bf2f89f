/** @file Word documents (.docx) as Markdown: headings, lists, tables and notes by the document's own styles. */
import type { Reader, Refusal } from "../document.js";
import { markdownOf } from "../markdown-writer.js";

export const docx: Reader = {
  name: "docx",
  mediaType: "text/markdown",
  extensions: [".docx", ".docm"],
  fileNames: [],
  maxBytes: 256 * 1024 * 1024,
  async read(bytes) {
    const old = refusalOfOldFormat(bytes);
    if (old) return old;
    const [
      { BadZip, UnpacksTooLarge, Zip },
      { BadXml },
      { partsOf },
      { Numbering, Styles },
      { bodyBlocks, noteBlocks },
    ] = await Promise.all([
      import("../docx/zip.js"),
      import("../docx/xml.js"),
      import("../docx/package.js"),
      import("../docx/styles.js"),
      import("../docx/body.js"),
    ]);
    try {
      const { document, styles, numbering, footnotes, endnotes } = partsOf(new Zip(bytes));
      const context = [new Styles(styles), new Numbering(numbering)] as const;
      return markdownOf([
        ...bodyBlocks(document, ...context),
        ...noteBlocks(footnotes, "", ...context),
        ...noteBlocks(endnotes, "e", ...context),
      ]);
    } catch (error) {
      if (error instanceof UnpacksTooLarge) return { reason: "unpacks too large", detail: error.message };
      if (error instanceof BadZip || error instanceof BadXml) {
        return { reason: "damaged", detail: `is not a readable DOCX: ${error.message}` };
      }
      throw error;
    }
  },
};

/** The container of Word 97 to 2003, which newer files are in only when a password protects them. */
const COMPOUND_FILE = Buffer.from("d0cf11e0a1b11ae1", "hex");
const ENCRYPTED = Buffer.from("EncryptedPackage", "utf16le");

function refusalOfOldFormat(bytes: Uint8Array): Refusal | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!file.subarray(0, COMPOUND_FILE.length).equals(COMPOUND_FILE)) return undefined;
  if (file.includes(ENCRYPTED)) return { reason: "encrypted", detail: "needs a password; save a copy without one" };
  return { reason: "legacy format", detail: "is of Word 97 to 2003 whatever its name says; save it as .docx" };
}
