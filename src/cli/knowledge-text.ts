/** @file What indexing did and what was answered, as people read it. */

import type { Answer, Quote } from "../answer/index.js";
import type { Skip } from "../documents/index.js";
import type { Part } from "../long/index.js";
import type { HotChunk, IndexReport } from "../pipeline/knowledge-base/knowledge-base.js";
import type { Summary } from "../pipeline/knowledge-base/summary.js";
import type { Passage } from "../retrieval/index.js";
import { integer, plural, seconds } from "./format.js";

export function indexText(report: IndexReport, model: string | undefined): string {
  const { added, changed, removed, unchanged, chunks, numChunks, embeddings } = report;
  const documents = [
    [added, "new"],
    [changed, "changed"],
    [removed, "removed"],
    [unchanged, "unchanged"],
  ] as const;
  const counts = documents.filter(([count]) => count > 0).map(([count, name]) => `${integer(count)} ${name}`);
  const vectors =
    model === undefined || !embeddings
      ? "words alone"
      : `vectors of ${model}: ${integer(embeddings.misses)} computed, ${integer(embeddings.hits)} known`;
  return `${plural(added + changed + unchanged, "document")} (${counts.join(", ")}): ${plural(chunks, "chunk")} written in ${seconds(report.seconds)}, ${integer(numChunks)} in the index; ${vectors}`;
}

/** Files that were left out for the same reason are told of together. */
export function skippedText(skipped: readonly Skip[]): string {
  const groups = new Map<string, string[]>();
  for (const { path, reason, detail } of skipped) {
    const why = `${reason} (${detail})`;
    groups.set(why, [...(groups.get(why) ?? []), path]);
  }
  const lines = [...groups].map(([why, [path, ...others]]) =>
    others.length === 0 ? `left out ${path}: ${why}` : `left out ${path} and ${plural(others.length, "other")}: ${why}`,
  );
  const rest = lines.splice(10).length;
  return [...lines, ...(rest > 0 ? [`and ${plural(rest, "other reason")}; --json names all`] : [])].join("\n");
}

/** Passages that questions came to, with how often. */
export function hotText(hot: readonly HotChunk[]): string {
  if (hot.length === 0) return "no question has come to a passage yet";
  return hot
    .map(({ chunk, count, heat }) => {
      const times = ["once", "twice"][count - 1] ?? `${integer(count)} times`;
      return `${placeOf(chunk)}: ${times}, heat ${heat.toPrecision(3)}`;
    })
    .join("\n");
}

/** Statements with the numbers of their quotes, then the quotes with their places. */
export function answerText({ statements, written }: Answer): string {
  if (statements.length === 0) return "The documents do not say.";
  const quotes: Quote[] = [];
  const lines = statements.map(({ text, quotes: its }) => {
    const numbers = its.map((quote) => `[${quotes.push(quote)}]`);
    const marks = numbers.length > 0 ? numbers.join("") : "[no support in the documents]";
    return written === undefined ? "" : `${text} ${marks}`;
  });
  const listed = quotes.map((quote, i) => `[${i + 1}] ${placeOf(quote)}\n    ${quote.text.replaceAll("\n", "\n    ")}`);
  return [...lines.filter((line) => line !== ""), ...(written === undefined ? [] : [""]), ...listed].join("\n");
}

/** How many documents a summary has a quote of, and the others by name. */
export function coverageText({ covered, uncovered }: Pick<Summary, "covered" | "uncovered">): string {
  const all = covered.length + uncovered.length;
  const shown = uncovered.slice(0, 10).join(", ");
  const rest = uncovered.length > 10 ? ` and ${plural(uncovered.length - 10, "other")}; --json names all` : "";
  return `from ${integer(covered.length)} of ${plural(all, "document")}${uncovered.length === 0 ? "" : `; nothing from ${shown}${rest}`}`;
}

/** One answer on the way of a reading. */
export const partText = ({ level, index, isKnown, numPromptTokens }: Part): string =>
  `level ${level}, part ${index + 1}: ${isKnown ? "known" : `${integer(numPromptTokens)} tokens read`}`;

function placeOf({
  path,
  page,
  headingPath,
  start,
  end,
}: Pick<Quote, "path" | "page" | "headingPath" | "start" | "end">): string {
  const where = page === undefined ? path : `${path}, page ${page}`;
  const headings = headingPath.length === 0 ? "" : `: ${headingPath.join(" › ")}`;
  return `${where}${headings} (characters ${start} to ${end})`;
}

/** Why each passage stands where it does. */
export function traceText(passages: readonly Passage[]): string {
  return passages
    .map(({ chunk, score, trace }, i) => {
      const found = trace.found.map(({ by, rank }) => `${by} ${rank}`).join(", ");
      const later = [
        ...(trace.reranked ? [`reranked ${trace.reranked.rank}`] : []),
        ...(trace.spread ? [`spread ${trace.spread.rank}`] : []),
      ];
      const place = [chunk.path, ...chunk.headingPath].join(" › ");
      return `${i + 1}. ${place}: ${[found, `fused ${trace.fused.rank}`, ...later].join("; ")} (${score.toPrecision(3)})`;
    })
    .join("\n");
}
