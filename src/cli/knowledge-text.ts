/** @file What indexing did and what was answered, as people read it. */

import type { Answer, Quote } from "../answer/index.js";
import type { Skip } from "../documents/index.js";
import type { IndexReport } from "../pipeline/knowledge-base/knowledge-base.js";
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

export function skippedText(skipped: readonly Skip[]): string {
  const shown = skipped.slice(0, 10).map(({ path, reason, detail }) => `left out ${path}: ${reason} (${detail})`);
  const rest = skipped.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${plural(rest, "other file")}; --json names all`] : [])].join("\n");
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

function placeOf({ path, page, headingPath, start, end }: Quote): string {
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
