/** @file Writes small PDFs for tests: text at places in four fonts, pictures, pages, tags; no compression. */

export type PdfFont = "regular" | "bold" | "mono" | "chinese";

/** Text whose base begins at (x, y), in points from the lower left corner of a page of 612 by 792. */
export interface PdfText {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** Default 11. */
  readonly size?: number;
  readonly font?: PdfFont;
}

export interface PdfPage {
  readonly texts?: readonly PdfText[];
  /** Fills the page with a picture, as a scan does. */
  readonly hasPicture?: boolean;
  /** What its texts are, for a tagged page: elements with the indices of their texts. */
  readonly structure?: readonly PdfElement[];
  /** Draws everything turned by a quarter to the left, and has the page turned back when it is shown. */
  readonly isTurned?: boolean;
}

export interface PdfElement {
  /** Of ISO 32000-1, 14.8.4. */
  readonly type: string;
  readonly parts: readonly (number | PdfElement)[];
}

/** An element of a tagged page. */
export function tag(type: string, ...parts: readonly (number | PdfElement)[]): PdfElement {
  return { type, parts };
}

export interface PdfOptions {
  /** Declares encryption with a password that nobody knows. */
  readonly isEncrypted?: boolean;
}

const FONT_NAMES: Readonly<Record<PdfFont, string>> = { regular: "F1", bold: "F2", mono: "F3", chinese: "F4" };
/** Where Windows-1252 differs from Latin-1. */
const WINDOWS_1252: Readonly<Record<string, number>> = { "•": 149, "–": 150, "—": 151, "’": 146, "“": 147, "”": 148 };
const BASE_FONTS = ["Helvetica", "Helvetica-Bold", "Courier"];

/** The bytes of a PDF 1.7 file; each page in its own content stream. Latin text is Windows-1252, Chinese UCS-2. */
export function pdfFile(pages: readonly PdfPage[], options: PdfOptions = {}): Uint8Array {
  const firstPage = 10;
  const root = firstPage + 2 * pages.length;
  const isTagged = pages.some(({ structure }) => structure);
  const tags = isTagged ? `/MarkInfo << /Marked true >> /StructTreeRoot ${root} 0 R` : "";
  const objects: string[] = [`<< /Type /Catalog /Pages 2 0 R ${tags} >>`];
  const kids = pages.map((_, i) => `${firstPage + 2 * i} 0 R`).join(" ");
  objects.push(`<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`);
  for (const name of BASE_FONTS) {
    objects.push(`<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`);
  }
  objects.push(
    "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [7 0 R] >>",
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000
     /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 8 0 R >>`,
    "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    stream("<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", "x"),
  );
  for (const [i, page] of pages.entries()) {
    objects.push(pageObject(page, firstPage + 2 * i, i), stream("<<", contentOf(page)));
  }
  if (isTagged) objects.push(...structureObjects(pages, root, firstPage));
  if (options.isEncrypted) {
    const secret = "5a".repeat(32);
    objects.push(`<< /Filter /Standard /V 1 /R 2 /O <${secret}> /U <${secret}> /P -4 >>`);
  }
  return fileOf(objects, options.isEncrypted ? `/Encrypt ${objects.length} 0 R /ID [<00><00>]` : "");
}

/** Lines of a text one below the other. */
export function pdfLines(
  lines: readonly string[],
  at: Omit<PdfText, "text">,
  leading = 1.2 * (at.size ?? 11),
): PdfText[] {
  return lines.map((text, i) => ({ ...at, y: at.y - i * leading, text }));
}

function pageObject({ isTurned = false }: PdfPage, own: number, index: number): string {
  const fonts = Object.values(FONT_NAMES).map((name, i) => `/${name} ${3 + i} 0 R`);
  return `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /StructParents ${index} /Rotate ${isTurned ? 90 : 0} /Contents ${own + 1} 0 R
    /Resources << /Font << ${fonts.join(" ")} >> /XObject << /Im 9 0 R >> >> >>`;
}

function contentOf({ texts = [], hasPicture = false, isTurned = false }: PdfPage): string {
  const turn = isTurned ? ["0 1 -1 0 700 0 cm"] : [];
  const picture = hasPicture ? ["q 612 0 0 792 0 0 cm /Im Do Q"] : [];
  const shown = texts.map(({ x, y, text, size = 11, font = "regular" }, mark) => {
    const string = font === "chinese" ? `<${Buffer.from(text, "utf16le").swap16().toString("hex")}>` : literal(text);
    return `/Span << /MCID ${mark} >> BDC BT /${FONT_NAMES[font]} ${size} Tf ${x} ${y} Td ${string} Tj ET EMC`;
  });
  return [...turn, ...picture, ...shown].join("\n");
}

/** The root of the tree, its list of the elements that hold each page's texts, and the elements. */
function structureObjects(pages: readonly PdfPage[], root: number, firstPage: number): string[] {
  const elements: string[] = [];
  const add = ({ type, parts }: PdfElement, parent: number, page: number, holders: number[]): number => {
    const own = root + 2 + elements.length;
    elements.push("");
    const kids = parts.map((part) => {
      if (typeof part !== "number") return `${add(part, own, page, holders)} 0 R`;
      holders[part] = own;
      return String(part);
    });
    elements[own - root - 2] =
      `<< /Type /StructElem /S /${type} /P ${parent} 0 R /Pg ${firstPage + 2 * page} 0 R /K [${kids.join(" ")}] >>`;
    return own;
  };
  const holdersOf = pages.map((): number[] => []);
  const tops = pages.flatMap(({ structure = [] }, i) =>
    structure.map((element) => add(element, root, i, holdersOf[i]!)),
  );
  const refs = (numbers: readonly number[]): string => numbers.map((number) => `${number} 0 R`).join(" ");
  const nums = holdersOf.map(
    (holders, i) => `${i} [${Array.from(holders, (at) => (at ? `${at} 0 R` : "null")).join(" ")}]`,
  );
  return [
    `<< /Type /StructTreeRoot /K [${refs(tops)}] /ParentTree ${root + 1} 0 R >>`,
    `<< /Nums [${nums.join(" ")}] >>`,
    ...elements,
  ];
}

function literal(text: string): string {
  const bytes = text.replace(/[•–—’“”]/g, (sign) => String.fromCharCode(WINDOWS_1252[sign]!));
  return `(${bytes.replace(/[\\()]/g, "\\$&")})`;
}

function stream(dictionary: string, content: string): string {
  return `${dictionary} /Length ${Buffer.byteLength(content, "latin1")} >>\nstream\n${content}\nendstream`;
}

function fileOf(objects: readonly string[], trailer: string): Uint8Array {
  let text = "%PDF-1.7\n";
  const places = objects.map((object, i) => {
    const at = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, "0")} 00000 n \n`;
  });
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${places.join("")}`;
  text += `${table}trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${text.length}\n%%EOF\n`;
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
