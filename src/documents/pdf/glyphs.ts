/** @file The characters of a page with their places and fonts, in the order in which the page shows them. */
import type { WrappedPdfiumModule } from "@embedpdf/pdfium";

/** What all characters of one drawn piece of text share. */
export interface TextStyle {
  /** Height of the font as shown, in points. */
  readonly size: number;
  /** Direction of the line, in radians. */
  readonly angle: number;
  readonly isMono: boolean;
  readonly isBold: boolean;
  /** Marked content that the text belongs to, which the structure tree refers to; -1 for none. */
  readonly mark: number;
}

/** Coordinates are points along the line (`left`, `right`) and across it (`base`, growing upwards). */
export interface Glyph {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly base: number;
  readonly style: TextStyle;
  /** A space that the file does not hold: PDFium took a gap for one. */
  readonly isGap: boolean;
}

const FLAG_FIXED_PITCH = 1;
const FLAG_FORCE_BOLD = 1 << 18;
const LONGEST_FONT_NAME = 256;

/** @throws WebAssembly.RuntimeError where PDFium gives up. */
export function glyphsOf(pdfium: WrappedPdfiumModule, page: number): Glyph[] {
  const { malloc, free } = pdfium.pdfium.wasmExports;
  const textPage = pdfium.FPDFText_LoadPage(page);
  if (textPage === 0) return [];
  const scratch = malloc(64 + LONGEST_FONT_NAME);
  try {
    return new GlyphReader(pdfium, textPage, scratch).read();
  } finally {
    free(scratch);
    pdfium.FPDFText_ClosePage(textPage);
  }
}

class GlyphReader {
  readonly #pdfium: WrappedPdfiumModule;
  readonly #textPage: number;
  /** Memory for what calls return: doubles or floats, then a font's name. */
  readonly #scratch: number;
  readonly #styles = new Map<number, TextStyle>();
  readonly #fonts = new Map<string, FontWidths>();
  readonly #fontOf = new Map<TextStyle, FontWidths>();

  constructor(pdfium: WrappedPdfiumModule, textPage: number, scratch: number) {
    this.#pdfium = pdfium;
    this.#textPage = textPage;
    this.#scratch = scratch;
  }

  read(): Glyph[] {
    const found: Glyph[] = [];
    let style: TextStyle | undefined;
    const numChars = this.#pdfium.FPDFText_CountChars(this.#textPage);
    for (let i = 0; i < numChars; i++) {
      const code = this.#pdfium.FPDFText_GetUnicode(this.#textPage, i);
      const object = this.#pdfium.FPDFText_GetTextObject(this.#textPage, i);
      // a space that PDFium puts between pieces belongs to none
      style = object === 0 ? style : this.#styleOf(object, i);
      const text = textOf(code);
      if (style === undefined || text === "") continue;
      const isGap = text === " " && this.#pdfium.FPDFText_IsGenerated(this.#textPage, i) === 1;
      const glyph = { text, style, isGap, ...this.#placeOf(i, style) };
      this.#fontOf.get(style)?.take(glyph);
      found.push(glyph);
    }
    return this.#withMono(found);
  }

  /** Not every font of one width says so: TeX's do not. */
  #withMono(glyphs: readonly Glyph[]): Glyph[] {
    const mono = new Map<TextStyle, TextStyle>();
    for (const [style, font] of this.#fontOf) if (font.isOneWidth) mono.set(style, { ...style, isMono: true });
    return glyphs.map((glyph) => ({ ...glyph, style: mono.get(glyph.style) ?? glyph.style }));
  }

  /** The box that PDFium calls loose: from origin to origin, whatever the letter leaves free of it. */
  #placeOf(index: number, { angle }: TextStyle): Pick<Glyph, "left" | "right" | "base"> {
    const { pdfium } = this.#pdfium;
    const at = this.#scratch;
    this.#pdfium.FPDFText_GetCharOrigin(this.#textPage, index, at, at + 8);
    const [x, y] = [pdfium.getValue(at, "double"), pdfium.getValue(at + 8, "double")];
    const hasBox = this.#pdfium.FPDFText_GetLooseCharBox(this.#textPage, index, at);
    const [left, top, right, bottom] = [0, 4, 8, 12].map((i) => pdfium.getValue(at + i, "float"));
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const start = x * cos + y * sin;
    const ends = hasBox ? [left! * cos + bottom! * sin, right! * cos + top! * sin] : [start];
    return { left: Math.min(start, ...ends), right: Math.max(start, ...ends), base: y * cos - x * sin };
  }

  #styleOf(object: number, index: number): TextStyle {
    const known = this.#styles.get(object);
    if (known) return known;
    const { pdfium } = this.#pdfium;
    const name = this.#scratch + 64;
    const hasName =
      this.#pdfium.FPDFText_GetFontInfo(this.#textPage, index, name, LONGEST_FONT_NAME, this.#scratch) > 0;
    const flags = pdfium.getValue(this.#scratch, "i32");
    const fontName = hasName ? pdfium.UTF8ToString(name, LONGEST_FONT_NAME) : "";
    const [a, b, c, d] = this.#matrix(index);
    const style = {
      size: this.#pdfium.FPDFText_GetFontSize(this.#textPage, index) * (Math.hypot(c, d) || 1),
      // full degrees, so that rounding does not part a line
      angle: (Math.round((Math.atan2(b, a) / Math.PI) * 180) * Math.PI) / 180,
      isMono: (flags & FLAG_FIXED_PITCH) !== 0 || /mono|courier|consolas/i.test(fontName),
      isBold: (flags & FLAG_FORCE_BOLD) !== 0 || /bold|black|heavy/i.test(fontName),
      mark: this.#pdfium.FPDFPageObj_GetMarkedContentID(object),
    };
    const font = this.#fonts.get(fontName) ?? new FontWidths();
    this.#fonts.set(fontName, font);
    this.#fontOf.set(style, font);
    this.#styles.set(object, style);
    return style;
  }

  #matrix(index: number): readonly [number, number, number, number] {
    if (!this.#pdfium.FPDFText_GetMatrix(this.#textPage, index, this.#scratch)) return [1, 0, 0, 1];
    const at = (i: number): number => this.#pdfium.pdfium.getValue(this.#scratch + 4 * i, "float");
    return [at(0), at(1), at(2), at(3)];
  }
}

/** Widths of a font's characters, in heights of the font. */
class FontWidths {
  readonly #letters = new Set<string>();
  #least = Number.POSITIVE_INFINITY;
  #most = 0;

  take({ text, left, right, style }: Glyph): void {
    if (!/^[A-Za-z0-9.,:;]$/.test(text)) return;
    this.#letters.add(text);
    this.#least = Math.min(this.#least, (right - left) / style.size);
    this.#most = Math.max(this.#most, (right - left) / style.size);
  }

  /** Whether enough different characters have been seen, and all are as wide. */
  get isOneWidth(): boolean {
    return this.#letters.size >= LEAST_LETTERS && this.#most - this.#least < SAME_WIDTH;
  }
}

const LEAST_LETTERS = 6;
const SAME_WIDTH = 0.02;

/** PDFium's sign for a hyphen at the end of a line. */
const HYPHEN = 2;
const SOFT_HYPHEN = 0xad;

function textOf(code: number): string {
  if (code === HYPHEN || code === SOFT_HYPHEN) return "-";
  if (code === 9) return " ";
  if (code < 32 || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return "";
  const text = String.fromCodePoint(code);
  // ligatures are letters in print only
  if (code >= 0xfb00 && code <= 0xfb06) return text.normalize("NFKC");
  return /\s/.test(text) ? " " : text;
}
