/** @file Writes Word documents for tests, from the XML of their body. */
import { zipFile } from "./zip.js";

const W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

export interface DocxOptions {
  /** Content of the styles, numbering and footnotes parts. */
  readonly styles?: string;
  readonly numbering?: string;
  readonly footnotes?: string;
}

export function docxFile(body: string, options: DocxOptions = {}): Uint8Array {
  const roots = { styles: "styles", numbering: "numbering", footnotes: "footnotes" } as const;
  const others = Object.entries(roots).flatMap(([name, root]) => {
    const content = options[root];
    return content === undefined ? [] : [[`word/${name}2.xml`, `<w:${root} ${W}>${content}</w:${root}>`] as const];
  });
  const relation = (type: string, target: string): string =>
    `<Relationship Id="${type}" Type="${RELATIONS}/${type}" Target="${target}"/>`;
  const relations = (...parts: string[]): string => `<Relationships>${parts.join("")}</Relationships>`;
  return zipFile({
    "_rels/.rels": relations(relation("officeDocument", "word/document.xml")),
    "word/document.xml": `<?xml version="1.0"?><w:document ${W}><w:body>${body}</w:body></w:document>`,
    "word/_rels/document.xml.rels": relations(...Object.keys(roots).map((name) => relation(name, `${name}2.xml`))),
    ...Object.fromEntries(others),
  });
}

/** A paragraph with properties. */
export function docxParagraph(text: string, properties = ""): string {
  return `<w:p><w:pPr>${properties}</w:pPr><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}
