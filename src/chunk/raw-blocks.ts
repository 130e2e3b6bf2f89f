/** @file Markdown blocks whose lines are not Markdown: fenced code, HTML, front matter. CommonMark 0.31, 4.5 and 4.6. */
import { isSpace, skipSpace, trimEnd } from "../text/characters.js";
import { lineEnd, skipIndent } from "./lines.js";

/** An open block of raw lines. */
export interface RawBlock {
  /** Whether sentences end inside its lines. */
  readonly isProse: boolean;
  readonly endsAtBlank: boolean;
  /** Whether the line `[at, end)` is the block's last. */
  endsWith(text: string, at: number, end: number): boolean;
}

/** Front matter longer than this is read as Markdown: it must be seen to close before its first line can be judged. */
export const MAX_FRONT_MATTER = 16384;

const BACKTICK = 96;
const TILDE = 126;

/** The fenced block that the line opens whose first character is at `first`, or undefined. Closed by a fence as long. */
export function openFence(text: string, first: number, to: number): RawBlock | undefined {
  const code = text.charCodeAt(first);
  const info = runEnd(text, first, to);
  const length = info - first;
  if ((code !== BACKTICK && code !== TILDE) || length < 3) return undefined;
  if (code === BACKTICK && text.slice(info, lineEnd(text, info, to)).includes("`")) return undefined;
  return {
    isProse: false,
    endsAtBlank: false,
    endsWith: (source, at, end) => {
      const start = skipIndent(source, at, end);
      if (source.charCodeAt(start) !== code) return false;
      const fence = runEnd(source, start, end);
      return fence - start >= length && skipSpace(source, fence, end) === end;
    },
  };
}

function runEnd(text: string, at: number, to: number): number {
  const code = text.charCodeAt(at);
  let i = at;
  while (i < to && text.charCodeAt(i) === code) i++;
  return i;
}

/** YAML (`---`) or TOML (`+++`) front matter that the line at `at` opens, or undefined. */
export function openFrontMatter(text: string, at: number, to: number): RawBlock | undefined {
  const mark = text.slice(at, at + 3);
  if (mark !== "---" && mark !== "+++") return undefined;
  const endsWith = (source: string, start: number, end: number): boolean => {
    const line = source.slice(start, trimEnd(source, start, Math.min(end, start + 8)));
    return line === mark || (line === "..." && mark === "---");
  };
  let end = lineEnd(text, at, to);
  if (trimEnd(text, at, end) !== at + 3 || isSpace(text.charCodeAt(end + 1))) return undefined;
  while (end < to) {
    const start = end + 1;
    end = lineEnd(text, start, to);
    if (endsWith(text, start, end)) return { isProse: false, endsAtBlank: false, endsWith };
  }
  return undefined;
}

/** Elements that open an HTML block which ends at a blank line (CommonMark 4.6, condition 6). */
const BLOCK_ELEMENTS = new Set(
  `address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt
  fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main
  menu menuitem nav noframes ol optgroup option p param search section summary table tbody td tfoot th thead title tr
  track ul`.split(/\s+/),
);
/** Elements whose content is raw until their end tag, blank lines included (condition 1). */
const RAW_ELEMENTS = new Set(["pre", "script", "style", "textarea"]);
const TAG_NAME = /^<\/?([a-z][a-z0-9]*)(?=[\s/>]|$)/i;
const LONGEST_TAG = 16;

/** The HTML block or comment that the line opens whose first character, a `<`, is at `first`, or undefined. */
export function openHtml(text: string, first: number, to: number): RawBlock | undefined {
  if (text.startsWith("<!--", first)) return htmlUntil("-->");
  const name = TAG_NAME.exec(text.slice(first, Math.min(to, first + LONGEST_TAG)))?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  if (RAW_ELEMENTS.has(name) && text.charAt(first + 1) !== "/") return htmlUntil(`</${name}>`);
  return BLOCK_ELEMENTS.has(name) ? { isProse: true, endsAtBlank: true, endsWith: () => false } : undefined;
}

function htmlUntil(terminator: string): RawBlock {
  return {
    isProse: false,
    endsAtBlank: false,
    endsWith: (text, at, end) => text.slice(at, end).toLowerCase().includes(terminator),
  };
}
