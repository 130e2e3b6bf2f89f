/** @file Sets Markdown as pages of a PDF: headings, paragraphs, lists, code, and a running head and foot. */
import type { PdfFont, PdfPage, PdfText } from "./pdf.js";

export interface SetPage extends PdfPage {
  /** Text of the page, lines joined by spaces, without head and foot. */
  readonly plain: string;
}

interface Style {
  readonly size: number;
  readonly font: PdfFont;
  readonly left: number;
  readonly space: number;
}

const TOP = 720;
const BOTTOM = 72;
const LEFT = 72;
const WIDTH = 468;
/** Widths of a character on the average, in heights of the font: Helvetica's and Courier's. */
const USUAL_WIDTH = 0.5;
const MONO_WIDTH = 0.6;

/** Inline marks are dropped; signs that Windows-1252 lacks become question marks. */
export function typeset(markdown: string, title: string): SetPage[] {
  const pages: { texts: PdfText[]; plain: string[] }[] = [];
  let y = 0;
  for (const { text, style } of linesOf(markdown)) {
    const height = style.size * 1.3;
    if (pages.length === 0 || y - height - style.space < BOTTOM) {
      pages.push({ texts: [{ x: LEFT, y: 760, size: 8, text: title }], plain: [] });
      y = TOP;
    } else y -= height + style.space;
    const page = pages.at(-1)!;
    page.texts.push({ x: style.left, y, size: style.size, font: style.font, text });
    page.plain.push(text.replace(/^• /, ""));
  }
  return pages.map(({ texts, plain }, i) => ({
    texts: [...texts, { x: 300, y: 40, size: 8, text: `${i + 1} of ${pages.length}` }],
    plain: plain.join(" "),
  }));
}

function* linesOf(markdown: string): Generator<{ text: string; style: Style }> {
  for (const block of markdown.split(/\n{2,}|\n(?=- |#)/)) {
    const heading = /^(#+)\s+(.*)/.exec(block);
    if (heading)
      yield* wrapped(heading[2]!, { size: 20 - 3 * heading[1]!.length, font: "bold", left: LEFT, space: 10 });
    else if (block.startsWith("```")) {
      for (const text of block.split("\n").slice(1, -1)) {
        yield { text: plainOf(text), style: { size: 9, font: "mono", left: LEFT, space: 0 } };
      }
    } else if (block.startsWith("- ")) {
      const lines = [...wrapped(`• ${block.slice(2)}`, { size: 10, font: "regular", left: LEFT, space: 4 })];
      yield* lines.map((line, i) => (i === 0 ? line : { ...line, style: { ...line.style, left: LEFT + 7 } }));
    } else if (block.startsWith("|")) {
      for (const row of block.split("\n").filter((text) => !/^[|\s:-]+$/.test(text))) {
        yield* wrapped(row.replaceAll("|", " "), { size: 10, font: "regular", left: LEFT, space: 4 });
      }
    } else yield* wrapped(block, { size: 10, font: "regular", left: LEFT, space: 8 });
  }
}

/** Lines of a text; the space is above the first. */
function* wrapped(source: string, style: Style): Generator<{ text: string; style: Style }> {
  const most = WIDTH / style.size / (style.font === "mono" ? MONO_WIDTH : USUAL_WIDTH);
  let text = "";
  let space = style.space;
  for (const word of plainOf(source).split(/\s+/).filter(Boolean)) {
    if (text !== "" && text.length + word.length + 1 > most) {
      yield { text, style: { ...style, space } };
      [text, space] = [word, 0];
    } else text += text === "" ? word : ` ${word}`;
  }
  if (text !== "") yield { text, style: { ...style, space } };
}

function plainOf(markdown: string): string {
  const text = markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*`]/g, "");
  return text.replace(/[^\n\x20-\x7e\xa0-\xff•–—’“”]/g, "?");
}
