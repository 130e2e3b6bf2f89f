/** @file What the styles and lists of a Word document make of a paragraph: a heading, an item, or neither. */
import type { Part } from "./package.js";
import { parseXml } from "./xml.js";

/** Properties that decide what a paragraph is; undefined where it does not say. */
export interface ParagraphProperties {
  style?: string;
  /** 0 to 8 for headings, 9 for text. */
  outline?: number;
  /** List, `"0"` for none, and the level in it. */
  list?: string;
  listLevel?: number;
}

interface Style extends ParagraphProperties {
  name: string;
}

/** Takes an element inside `pPr` in. */
export function readProperty(
  properties: ParagraphProperties,
  tag: string,
  attribute: (name: string) => string | undefined,
): void {
  const value = attribute("val");
  if (value === undefined) return;
  if (tag === "pStyle" || tag === "basedOn") properties.style = value;
  else if (tag === "outlineLvl") properties.outline = Number(value);
  else if (tag === "numId") properties.list = value;
  else if (tag === "ilvl") properties.listLevel = Number(value);
}

export class Styles {
  readonly #styles = new Map<string, Style>();

  constructor(part: Part | undefined) {
    if (part === undefined) return;
    let style: Style = { name: "" };
    parseXml(part.name, part.bytes, {
      open: (tag, attribute) => {
        if (tag === "style") {
          style = { name: "" };
          this.#styles.set(attribute("styleId") ?? "", style);
        } else if (tag === "name") style.name = (attribute("val") ?? "").toLowerCase();
        else readProperty(style, tag, attribute);
      },
    });
  }

  /** The properties with what their style, and those that it is based on, say of the rest. */
  resolve(own: ParagraphProperties): ParagraphProperties {
    const resolved = { ...own };
    const seen = new Set<Style>();
    for (let style = this.#of(own.style); style !== undefined && !seen.has(style); style = this.#of(style.style)) {
      seen.add(style);
      const outline = style.outline ?? outlineOf(style.name);
      if (resolved.outline === undefined && outline !== undefined) resolved.outline = outline;
      if (resolved.list === undefined && style.list !== undefined) resolved.list = style.list;
      if (resolved.listLevel === undefined && style.listLevel !== undefined) resolved.listLevel = style.listLevel;
    }
    return resolved;
  }

  #of(id: string | undefined): Style | undefined {
    return id === undefined ? undefined : this.#styles.get(id);
  }
}

/** Word's own styles have these names in every language. */
function outlineOf(name: string): number | undefined {
  if (name === "title") return 0;
  const level = /^heading ([1-9])$/.exec(name)?.[1];
  return level === undefined ? undefined : Number(level) - 1;
}

interface Level {
  format: string;
  start: number;
}

/** Numbers of list items, counted as the document goes. */
export class Numbering {
  readonly #levels = new Map<string, Map<number, Level>>();
  readonly #lists = new Map<string, string>();
  readonly #counts = new Map<string, number[]>();

  constructor(part: Part | undefined) {
    if (part === undefined) return;
    let levels = new Map<number, Level>();
    let level: Level = { format: "", start: 1 };
    let list = "";
    parseXml(part.name, part.bytes, {
      open: (tag, attribute) => {
        const value = attribute("val") ?? "";
        if (tag === "abstractNum") {
          levels = new Map();
          this.#levels.set(attribute("abstractNumId") ?? "", levels);
        } else if (tag === "lvl") {
          level = { format: "decimal", start: 1 };
          levels.set(Number(attribute("ilvl")), level);
        } else if (tag === "numFmt") level.format = value;
        else if (tag === "start") level.start = Number(value);
        else if (tag === "num") list = attribute("numId") ?? "";
        else if (tag === "abstractNumId") this.#lists.set(list, value);
      },
    });
  }

  /** The marker of the list's next item on a level; undefined where items of the list have none. */
  next(list: string, at: number): string | undefined {
    const level = this.#levels.get(this.#lists.get(list) ?? "")?.get(at);
    if (level === undefined || level.format === "bullet") return list === "0" ? undefined : "-";
    if (level.format === "none") return undefined;
    const counts = this.#counts.get(list) ?? [];
    const count = (counts[at] ?? level.start - 1) + 1;
    this.#counts.set(list, [...counts.slice(0, at), count]);
    return `${count}.`;
  }
}
