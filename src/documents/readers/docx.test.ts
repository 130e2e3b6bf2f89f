/** @file Word documents as Markdown, and files that only look like them. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { docxFile, docxParagraph as p } from "../../../test/support/docx.js";
import { zipFile } from "../../../test/support/zip.js";
import { UnpacksTooLarge, Zip } from "../docx/zip.js";
import { docx } from "./docx.js";

async function textOf(...file: Parameters<typeof docxFile>): Promise<string> {
  const result = await docx.read(docxFile(...file));
  if ("reason" in result) throw new Error(`${result.reason}: ${result.detail}`);
  return result.text;
}

const styles = `
  <w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
  <w:style w:styleId="own"><w:name w:val="My style"/><w:basedOn w:val="berschrift1"/></w:style>
  <w:style w:styleId="loop"><w:name w:val="Loop"/><w:basedOn w:val="loop"/></w:style>
  <w:style w:styleId="bullets"><w:name w:val="List Bullet"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>`;
const numbering = `
  <w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
  <w:abstractNum w:abstractNumId="8">
    <w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/></w:lvl>
    <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/></w:lvl>
  </w:abstractNum>
  <w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>`;
const item = (level: number) => `<w:numPr><w:ilvl w:val="${level}"/><w:numId w:val="2"/></w:numPr>`;
const cell = (text: string, properties = "") => `<w:tc><w:tcPr>${properties}</w:tcPr>${p(text)}</w:tc>`;

describe("docx", () => {
  it("knows headings by style, by what a style is based on, and by outline", async () => {
    const body = [
      p("One", '<w:pStyle w:val="berschrift1"/>'),
      p("Two", '<w:pStyle w:val="own"/><w:outlineLvl w:val="1"/>'),
      p("Three", '<w:pStyle w:val="own"/><w:pPrChange><w:pPr><w:outlineLvl w:val="4"/></w:pPr></w:pPrChange>'),
      p("# text", '<w:pStyle w:val="loop"/>'),
    ];
    expect(await textOf(body.join(""), { styles })).toBe("# One\n\n## Two\n\n# Three\n\n\\# text");
  });

  it("numbers lists as Word does", async () => {
    const body = [
      p("bullet", '<w:pStyle w:val="bullets"/>'),
      p("c", item(0)),
      p("a", item(1)),
      p("b", item(1)),
      p("d", item(0)),
      p("a", item(1)),
      p("none", '<w:pStyle w:val="bullets"/><w:numPr><w:numId w:val="0"/></w:numPr>'),
    ];
    expect(await textOf(body.join(""), { styles, numbering })).toBe(
      "- bullet\n3. c\n    1. a\n    2. b\n4. d\n    1. a\n\nnone",
    );
  });

  it("keeps tables, with cells that span columns, tables in cells, and frames", async () => {
    const inner = `<w:tbl><w:tr>${cell("x")}${cell("y")}</w:tr></w:tbl>`;
    const table = `<w:tbl><w:tr>${cell("A | B", '<w:gridSpan w:val="2"/>')}${cell("C")}</w:tr>
      <w:tr>${cell("1")}<w:tc>${p("2")}${p("two")}</w:tc><w:tc>${inner}${p("3")}</w:tc></w:tr></w:tbl>`;
    const frame = `<w:tbl><w:tr>${cell("framed")}</w:tr></w:tbl>`;
    expect(await textOf(table + frame)).toBe(
      "| A \\| B |  | C |\n| --- | --- | --- |\n| 1 | 2 two | x y 3 |\n\nframed",
    );
  });

  it("reads runs, breaks, text boxes once, and notes; not what is deleted or hidden", async () => {
    const body = `<w:p><w:r><w:t xml:space="preserve">Line </w:t></w:r><w:r><w:t>one</w:t><w:br/><w:t>two</w:t></w:r>
      <w:r><w:footnoteReference w:id="1"/></w:r>
      <w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>
      <w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>, shown</w:t></w:r></w:p>
      <w:p xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:r><mc:AlternateContent>
      <mc:Choice>${p("box")}</mc:Choice><mc:Fallback>${p("box")}</mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>after</w:t></w:r></w:p>`;
    const footnotes = `<w:footnote w:type="separator" w:id="0">${p("-")}</w:footnote><w:footnote w:id="1">${p("A note.")}</w:footnote>`;
    expect(await textOf(body, { footnotes })).toBe("Line one\ntwo[^1], shown\n\nbox\n\nafter\n\n[^1]: A note.");
  });

  it("stops unpacking what grows beyond a document, whatever the archive says of its size", async () => {
    const bomb = Buffer.alloc(3_000_000, "<w:p/>");
    const honest = zipFile({ "word/document.xml": bomb });
    expect(honest.length).toBeLessThan(20_000);
    expect(await docx.read(honest)).toMatchObject({ reason: "unpacks too large" });
    expect(await docx.read(zipFile({ "word/document.xml": bomb }, { "word/document.xml": 100 }))).toMatchObject({
      reason: "unpacks too large",
    });
  });

  it("bounds what all parts unpack to together", async () => {
    // 21 MB that shrink to about a hundredth
    const hashes = Array.from({ length: 7000 }, (_, i) => createHash("sha256").update(String(i)).digest("hex"));
    const large = hashes.map((hash) => hash.padEnd(3000)).join("");
    const parts = ["word/document.xml", "word/styles.xml", "word/numbering.xml", "word/footnotes.xml"];
    const zip = new Zip(zipFile(Object.fromEntries(parts.map((name) => [name, large]))));
    for (const name of parts.slice(0, 3)) expect(zip.read(name)).toHaveLength(Buffer.byteLength(large));
    expect(() => zip.read(parts[3]!)).toThrow(UnpacksTooLarge);
  });

  it("does not let entities multiply", async () => {
    const entities = `<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><d>&b;</d>`;
    expect(await docx.read(zipFile({ "word/document.xml": entities }))).toMatchObject({ reason: "damaged" });
  });

  it("tells archives, old Word files and protected ones from documents", async () => {
    const container = Buffer.from("d0cf11e0a1b11ae1", "hex");
    const results = await Promise.all(
      [
        zipFile({ "hello.txt": "x" }),
        new TextEncoder().encode("PK nothing"),
        docxFile(p("x")).slice(0, -30),
        container,
        Buffer.concat([container, Buffer.alloc(600), Buffer.from("EncryptedPackage", "utf16le")]),
      ].map((bytes) => docx.read(bytes)),
    );
    expect(results.map((result) => ("reason" in result ? result.reason : result.text))).toEqual([
      "damaged",
      "damaged",
      "damaged",
      "legacy format",
      "encrypted",
    ]);
  });
});
