/** @file A PDF as blocks with their pages. */
import type { Block } from "../markdown-writer.js";
import { type Glyph, glyphsOf } from "./glyphs.js";
import { goesOn, joinLines, type Vocabulary, vocabularyOf } from "./join-lines.js";
import { type Line, linesOf, textOfLine } from "./lines.js";
import { measuresOf } from "./measures.js";
import { blocksOfPage } from "./page-blocks.js";
import type { OpenPdf } from "./pdfium.js";
import { withoutRunningLines } from "./running-lines.js";
import { type StructureElement, structureOf } from "./structure.js";
import { taggedBlocks } from "./tagged-blocks.js";

interface PageContent {
  readonly glyphs: readonly Glyph[];
  readonly tree: readonly StructureElement[];
  readonly lines: readonly Line[];
}

export interface DocumentBlocks {
  /** In reading order; a paragraph that a page's end parted is one. */
  readonly blocks: readonly Block[];
  /** Pages, from 1, without a block. */
  readonly emptyPages: readonly number[];
}

export function documentBlocks({ pdfium, numPages, withPage }: OpenPdf): DocumentBlocks {
  const pages: PageContent[] = Array.from({ length: numPages }, (_, i) =>
    withPage(i, (page) => {
      const glyphs = glyphsOf(pdfium, page);
      return { glyphs, tree: structureOf(pdfium, page), lines: linesOf(glyphs) };
    }),
  );
  const lines = withoutRunningLines(pages.map((page) => page.lines));
  const measures = measuresOf(lines.flat());
  const known = vocabularyOf(lines.flat().map(textOfLine));
  const blocks = pages.map(
    ({ tree, glyphs }, i) => taggedBlocks(tree, glyphs, known) ?? blocksOfPage(lines[i]!, measures, known),
  );
  const emptyPages = blocks.flatMap(({ length }, i) => (length === 0 ? [i + 1] : []));
  return { blocks: joinPages(blocks, known), emptyPages };
}

function joinPages(pages: readonly (readonly Block[])[], known: Vocabulary): Block[] {
  const joined: Block[] = [];
  for (const [i, blocks] of pages.entries()) {
    const page = i + 1;
    const [first, ...rest] = blocks;
    if (first === undefined) continue;
    const last = joined.at(-1);
    const whole = last && reaches(last, page) ? joinedParagraph(last, first, known) : undefined;
    if (whole === undefined) joined.push({ ...first, page });
    else joined[joined.length - 1] = whole;
    joined.push(...rest.map((block) => ({ ...block, page })));
  }
  return joined;
}

/** Whether the block ends on the page before. */
function reaches(block: Block, page: number): boolean {
  return block.kind === "paragraph" && block.page! + (block.pageBreaks?.length ?? 0) === page - 1;
}

function joinedParagraph(before: Block, after: Block, known: Vocabulary): Block | undefined {
  if (before.kind !== "paragraph" || after.kind !== "paragraph" || !goesOn(before.text, after.text)) return undefined;
  const text = joinLines(before.text, after.text, known);
  return { ...before, text, pageBreaks: [...(before.pageBreaks ?? []), text.length - after.text.length] };
}
