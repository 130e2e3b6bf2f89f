/** @file The parts of a Word document by what they are (ECMA-376, part 2: relationships). */
import { posix } from "node:path";
import { parseXml } from "./xml.js";
import { BadZip, type Zip } from "./zip.js";

export interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface DocxParts {
  readonly document: Part;
  readonly styles: Part | undefined;
  readonly numbering: Part | undefined;
  readonly footnotes: Part | undefined;
  readonly endnotes: Part | undefined;
}

/** @throws BadZip, BadXml, UnpacksTooLarge. */
export function partsOf(zip: Zip): DocxParts {
  const part = (name: string | undefined): Part | undefined => {
    const bytes = name === undefined ? undefined : zip.read(name);
    return bytes && { name: name!, bytes };
  };
  const main = relations(zip, "").get("officeDocument") ?? "word/document.xml";
  const document = part(main);
  if (document === undefined) throw new BadZip(`it has no part ${main}: it is no Word document`);
  const others = relations(zip, main);
  return {
    document,
    styles: part(others.get("styles")),
    numbering: part(others.get("numbering")),
    footnotes: part(others.get("footnotes")),
    endnotes: part(others.get("endnotes")),
  };
}

/** Names of the parts that a part (`""`: the package) refers to, by the last word of the relation's type. */
function relations(zip: Zip, of: string): Map<string, string> {
  const folder = posix.dirname(of);
  const name = posix.join(folder, "_rels", `${posix.basename(of)}.rels`);
  const bytes = zip.read(name);
  const found = new Map<string, string>();
  if (bytes === undefined) return found;
  parseXml(name, bytes, {
    open: (tag, attribute) => {
      const [type, target] = [attribute("Type"), attribute("Target")];
      if (tag !== "Relationship" || type === undefined || target === undefined) return;
      found.set(posix.basename(type), target.startsWith("/") ? target.slice(1) : posix.join(folder, target));
    },
  });
  return found;
}
