/** @file A small file of each kind that a reader takes, made here; each holds the words Tessera, mosaic, 漢字. */
import type { Reader, readers } from "../../src/documents/index.js";
import { docxFile, docxParagraph } from "./docx.js";
import { pdfFile } from "./pdf.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

type Kind = {
  [Name in keyof typeof readers]: (typeof readers)[Name] extends Reader & { isCode: true } ? never : Name;
}[keyof typeof readers];

export const readerSamples: Record<Kind, Uint8Array> = {
  markdown: utf8("# Tessera\n\nOne tile of a mosaic.\n\n漢字\n"),
  "plain-text": utf8("Tessera\n\nOne tile of a mosaic.\n\n漢字\n"),
  html: utf8(
    "<!doctype html><title>Tessera</title><main><p>One tile of a <b>mosaic</b>.<ul><li>漢字<li>&amp;</ul><table><tr><td>a<td>b</table></main>",
  ),
  docx: docxFile(["Tessera", "One tile of a mosaic.", "漢字"].map((text) => docxParagraph(text)).join("")),
  pdf: pdfFile([
    {
      texts: [
        { x: 72, y: 700, text: "Tessera" },
        { x: 72, y: 600, text: "One tile of a mosaic." },
      ],
    },
    { texts: [{ x: 72, y: 700, text: "漢字", font: "chinese" }] },
  ]),
  json: utf8('[{"name": "Tessera", "what": "one tile of a mosaic"}, {"name": "漢字", "tags": ["a", {"b": null}]}]'),
  jsonl: utf8('{"name": "Tessera"}\n{"name": "mosaic", "of": ["tiles"]}\n"漢字"\n'),
  csv: utf8('name,what\nTessera,"one tile, of a mosaic"\n漢字,x\n'),
};
