/** @file Headings to try a search with before one knows what the documents say. */

import type { StoredChunk } from "../retrieval/stores/store.js";
import { isFunctionWord } from "../retrieval/terms.js";

type Place = Pick<StoredChunk, "path" | "headingPath">;

/**
 * At most `count` headings, each of another document and of that document only, spread evenly over the documents in the
 * order given. A heading has two to seven words of which two say something, or four to sixteen Chinese characters, and is
 * none that many documents have for their reader's way; titles of documents are taken only where there are too few others.
 */
export function pickTopics(chunks: Iterable<Place>, count = 6): string[] {
  const readable = [...chunks].filter(({ headingPath }) => isReadable(headingPath.at(-1) ?? ""));
  const sections = readable.filter(({ headingPath }) => headingPath.length > 1);
  const headings = firstOfEach(sections);
  return spread(headings.length >= count ? headings : firstOfEach([...sections, ...readable]), count);
}

/** The first heading of each document that no other document has. */
function firstOfEach(places: readonly Place[]): string[] {
  const paths = new Map<string, Set<string>>();
  for (const { path, headingPath } of places) {
    const heading = headingPath.at(-1)!;
    paths.set(heading, (paths.get(heading) ?? new Set()).add(path));
  }
  const first = new Map<string, string>();
  for (const { path, headingPath } of places) {
    const heading = headingPath.at(-1)!;
    if (!first.has(path) && paths.get(heading)?.size === 1) first.set(path, heading);
  }
  return [...first.values()];
}

/** Headings of what every document may have. */
const common =
  /^(?:.*\btable of contents|contents|(?:non-)?breaking changes|change ?log|release notes|see also|further reading|getting started|quick ?start|next steps|learn more|how it works|core documents|目录|更新日志|参考(?:资料|文献)|延伸阅读|下一步|快速(?:开始|入门)|índice|primeros pasos|véase también)$/iu;

/** Words that say something, and no markup that was left in them. */
function isReadable(heading: string): boolean {
  const title = heading.trim();
  if (common.test(title) || !/^[\p{L}\p{M}\p{N}\s,.:;'’?!&/()@，。：；？！、（）-]+$/u.test(title)) return false;
  const numCharacters = title.match(/\p{sc=Han}/gu)?.length ?? 0;
  if (numCharacters > 0) return numCharacters >= 4 && numCharacters <= 16;
  const words = title.split(/\s+/);
  const telling = words.filter(
    (word) => /\p{L}/u.test(word) && !isFunctionWord(word.replace(/[^\p{L}\p{M}\p{N}]/gu, "")),
  );
  return telling.length >= 2 && words.length <= 7;
}

/** `count` items at even distances. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}
