/** @file PDFs as text: paragraphs, hyphens, headings, lists, tables, columns, pages, and files that give none. */
import { describe, expect, it } from "vitest";
import { type PdfOptions, type PdfPage, pdfFile, pdfLines, tag } from "../../../test/support/pdf.js";
import { pageAt } from "../document.js";
import { pdf } from "./pdf.js";

async function read(pages: readonly PdfPage[], options?: PdfOptions) {
  const result = await pdf.read(pdfFile(pages, options));
  if ("reason" in result) throw new Error(`${result.reason}: ${result.detail}`);
  return result;
}

const textOf = async (...pages: PdfPage[]): Promise<string> => (await read(pages)).text;

const at = { x: 72, y: 700 };
const body = [
  "Whatever does not fit is cut into tiles, and a scheduler decides which of the",
  "tiles is worked on next. A tile is small enough for the memory that there is, and large",
  "enough to keep the machine busy while it is being worked on.",
];

describe("pdf", () => {
  it("joins the lines of a paragraph and parts paragraphs by their distance", async () => {
    const texts = [...pdfLines(body, at), ...pdfLines(["Another paragraph begins here."], { x: 72, y: 640 })];
    expect(await textOf({ texts })).toBe(`${body.join(" ")}\n\nAnother paragraph begins here.`);
  });

  it("parts paragraphs by their indented first lines", async () => {
    const second = { x: 90, y: 700 - 3 * 13.2 };
    const texts = [
      ...pdfLines(body, at),
      ...pdfLines([body[1]!], second),
      ...pdfLines(["and so on"], { x: 72, y: 700 - 4 * 13.2 }),
    ];
    expect(await textOf({ texts })).toBe(`${body.join(" ")}\n\n${body[1]} and so on`);
  });

  it("heals words that a line's end parted, and keeps hyphens that are the word's own", async () => {
    const lines = [
      "The well-known example of a tool that is very small and hyphen-",
      "ated by hand, which shows that a well-",
      "known word of many parts, such as state-of-the-",
      "art, keeps what it has. A rule by hand is a hand-",
      "rule.",
    ];
    expect(await textOf({ texts: pdfLines(lines, at) })).toBe(
      "The well-known example of a tool that is very small and hyphenated by hand, which shows that a well-known word of many parts, such as state-of-the-art, keeps what it has. A rule by hand is a hand-rule.",
    );
  });

  it("takes larger text for headings, and numbered bold lines", async () => {
    const texts = [
      ...pdfLines(["A title of the whole"], { x: 72, y: 740, size: 24 }),
      ...pdfLines(["A section"], { x: 72, y: 715, size: 16 }),
      ...pdfLines(body, at),
      ...pdfLines(["2.1 A numbered part"], { x: 72, y: 640, font: "bold" }),
      ...pdfLines(body, { x: 72, y: 620 }),
    ];
    const text = await textOf({ texts });
    expect(text.match(/^#+ .*/gm)).toEqual(["# A title of the whole", "## A section", "#### 2.1 A numbered part"]);
  });

  it("finds lists with their levels, tables, and code with its indentation", async () => {
    const texts = [
      ...pdfLines(["• one item that goes on", "  in a second line", "• two"], at),
      ...pdfLines(["• nested"], { x: 90, y: 660.4 }),
      ...pdfLines(["1. numbered"], { x: 72, y: 630 }),
      ...["Name", "Bear", "Bee"].map((text, i) => ({ x: 72, y: 600 - 14 * i, text })),
      ...["Legs", "4", "6"].map((text, i) => ({ x: 200, y: 600 - 14 * i, text })),
      ...pdfLines(["for (;;) {"], { x: 72, y: 540, font: "mono" }),
      ...pdfLines(["stop();"], { x: 72 + 2 * 6.6, y: 526, font: "mono" }),
      ...pdfLines(["// ....... now"], { x: 72 + 20 * 6.6, y: 526, font: "mono" }),
      ...pdfLines(["}"], { x: 72, y: 512, font: "mono" }),
    ];
    expect(await textOf({ texts: inRows(texts) })).toBe(
      [
        "- one item that goes on in a second line\n- two\n    - nested\n1. numbered",
        "| Name | Legs |\n| --- | --- |\n| Bear | 4 |\n| Bee | 6 |",
        "```\nfor (;;) {\n  stop();           // ....... now\n}\n```",
      ].join("\n\n"),
    );
  });

  it("reads a tagged page by its tags: their order, what they are, and nothing else", async () => {
    const words = [
      "Title",
      "A para-",
      "graph.",
      "1.",
      "first",
      "•",
      "inner",
      "a",
      "b",
      "1",
      "2",
      "let x;",
      "12",
      "tail",
    ];
    const texts = words.map((text, i) => {
      const font = text === "let x;" ? ("mono" as const) : ("regular" as const);
      return { x: 72 + 40 * (i % 3), y: 300 + 20 * i, text, font };
    });
    const inner = tag("L", tag("LI", tag("Lbl", 5), tag("LBody", 6)));
    const row = (type: string, ...cells: number[]) => tag("TR", ...cells.map((cell) => tag(type, cell)));
    const structure = [
      tag(
        "Document",
        tag("H2", 0),
        tag("P", 1, tag("Span", 2)),
        tag("L", tag("LI", tag("Lbl", 3), tag("LBody", 4, inner))),
      ),
      tag("Table", tag("TBody", row("TH", 7, 8), row("TD", 9, 10))),
      tag("Sect", tag("P", 11), tag("Div", 13)),
    ];
    expect(await textOf({ texts, structure })).toBe(
      [
        "## Title",
        "A paragraph.",
        "1. first\n    - inner",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
        "```\nlet x;\n```",
        "tail",
      ].join("\n\n"),
    );
  });

  it("reads a page by where its lines stand if its tags hold too little of it", async () => {
    const texts = [...pdfLines(body, at), { x: 72, y: 600, text: "Tagged" }];
    expect(await textOf({ texts, structure: [tag("H1", 3)] })).toBe(`${body.join(" ")}\n\nTagged`);
  });

  it("reads columns one after the other, drawn so or side by side", async () => {
    const left = [
      "The first column holds a text that",
      "goes on over several lines until it",
      "reaches the end of the column and",
    ];
    const right = [
      "then continues at the top of the",
      "second column, where it ends after",
      "a few more lines like this one.",
    ];
    const expected = [...left, ...right].join(" ");
    const columns = [pdfLines(left, { x: 72, y: 700 }), pdfLines(right, { x: 320, y: 700 })];
    expect(await textOf({ texts: columns.flat() })).toBe(expected);
    expect((await textOf({ texts: inRows(columns.flat()) })).replaceAll("\n\n", " ")).toBe(expected);
  });

  it("keeps pages: where each begins, through a paragraph that goes on, and with one that is empty", async () => {
    const { text, pageStarts } = await read([
      { texts: pdfLines(body.slice(0, 2), at) },
      { texts: pdfLines(body.slice(2), at) },
      {},
      { texts: pdfLines(["The fourth page."], at) },
    ]);
    expect(text).toBe(`${body.join(" ")}\n\nThe fourth page.`);
    const places = [0, text.indexOf("enough to keep"), text.indexOf("The fourth"), text.indexOf("The fourth")];
    expect(pageStarts).toEqual(places);
    expect(pageAt({ pageStarts: pageStarts! }, text.indexOf("busy"))).toBe(2);
    expect(pageAt({ pageStarts: pageStarts! }, text.indexOf("fourth"))).toBe(4);
  });

  it("leaves out heads and feet that run through the pages", async () => {
    const pages = [1, 2, 3, 4].map((number) => ({
      texts: [
        { x: 72, y: 760, text: "The Book of Tiles" },
        ...pdfLines([`Page ${number} has a text of its own, numbered ${number * 7}.`], at),
        { x: 300, y: 30, text: `${number} / 4` },
      ],
    }));
    expect(await textOf(...pages)).toBe(
      [1, 2, 3, 4].map((number) => `Page ${number} has a text of its own, numbered ${number * 7}.`).join("\n\n"),
    );
  });

  it("leaves out heads that name the chapter, and page numbers wherever they stand", async () => {
    const pages = [1, 2, 3, 4, 5, 6].map((number) => ({
      texts: [
        ...(number === 4 ? [] : [{ x: 72, y: 760, text: `${number < 4 ? "Clay" : "Glaze"}   ${number + 10}` }]),
        ...pdfLines([`The ${["first", "second", "third", "fourth", "fifth", "last"][number - 1]} page.`], at),
        ...(number === 4 ? [{ x: 300, y: 30, text: "14" }] : []),
      ],
    }));
    expect((await textOf(...pages)).replaceAll("\n\n", " ")).toBe(
      "The first page. The second page. The third page. The fourth page. The fifth page. The last page.",
    );
  });

  it("keeps the entries of a table of contents apart, as text and without their dots", async () => {
    const entries = [
      `1 Clay ${". ".repeat(40)}1`,
      `1.1 Red clay ${". ".repeat(36)}2`,
      "The text that follows is of the same size.",
    ];
    expect(await textOf({ texts: pdfLines(entries, { ...at, font: "bold" }) })).toBe(
      "1 Clay … 1\n\n1.1 Red clay … 2\n\nThe text that follows is of the same size.",
    );
  });

  it("reads Chinese without spaces at line ends, by the character maps that PDFium brings", async () => {
    const lines = ["放不下的东西都被切成小块，", "由程序来安排。"];
    expect(await textOf({ texts: pdfLines(lines, { ...at, font: "chinese" }) })).toBe(lines.join(""));
  });

  it("reads a page that is turned", async () => {
    expect(await textOf({ texts: pdfLines(body, at), isTurned: true })).toBe(body.join(" "));
  });

  it("names the pages that are pictures where others have text", async () => {
    const [text, scanned] = [{ texts: pdfLines(body, at) }, { hasPicture: true }];
    expect(await pdf.read(pdfFile([scanned, text, {}, scanned]))).toMatchObject({ picturePages: [1, 4] });
    expect(await pdf.read(pdfFile([{ ...text, ...scanned }, {}]))).not.toHaveProperty("picturePages");
  });

  it("says that a file is encrypted, a scan, damaged or empty", async () => {
    const page = { texts: pdfLines(body, at) };
    expect(await pdf.read(pdfFile([page], { isEncrypted: true }))).toMatchObject({ reason: "encrypted" });
    expect(await pdf.read(pdfFile([{ hasPicture: true }]))).toMatchObject({ reason: "scan without text" });
    expect(await pdf.read(pdfFile([{}, { hasPicture: true }]))).toMatchObject({ reason: "scan without text" });
    expect(await pdf.read(pdfFile([{}]))).toMatchObject({ text: "" });
    expect(await pdf.read(pdfFile([page]).slice(0, 300))).toMatchObject({ reason: "damaged" });
    expect(await pdf.read(new TextEncoder().encode("no pdf"))).toMatchObject({ reason: "damaged" });
  });
});

/** Texts as a program draws them that goes line by line over the page's width. */
function inRows<T extends { readonly x: number; readonly y: number }>(texts: readonly T[]): T[] {
  return [...texts].sort((a, b) => b.y - a.y || a.x - b.x);
}
