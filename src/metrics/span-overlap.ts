/**
 * @file How much of what answers a question is in the passages that were found, and how much of them is that: recall,
 * precision and intersection over union of stretches of text (Smith and Troynikov 2024, "Evaluating Chunking Strategies for
 * Retrieval", Chroma).
 */

/** A stretch of a document, in code units. */
export interface DocumentSpan {
  readonly document: string;
  readonly start: number;
  readonly end: number;
}

/** Shares from 0 to 1. */
export interface SpanOverlap {
  /** Share of the references that the passages hold. */
  readonly recall: number;
  /** Share of the passages, each counted in full, that references are. */
  readonly precision: number;
  /** What both have, over all passages, each counted in full, and the references that they miss. */
  readonly iou: number;
}

/** Size of a stretch. Default: its code units; a count of its tokens gives measures by tokens. */
export type Measure = (span: DocumentSpan) => number;

const length: Measure = ({ start, end }) => end - start;

/**
 * Compares passages with the references of one question. Text that several passages repeat counts once where it is right,
 * and each time in what was retrieved: |R ∩ P| / |R|, |R ∩ P| / Σ|p| and |R ∩ P| / (Σ|p| + |R \ P|). Nothing retrieved gives 0.
 */
export function spanOverlap(
  references: readonly DocumentSpan[],
  passages: readonly DocumentSpan[],
  measure: Measure = length,
): SpanOverlap {
  const wanted = united(references);
  const found = united(passages);
  const hit = total(
    wanted.flatMap((reference) => found.flatMap((passage) => intersection(reference, passage))),
    measure,
  );
  const sizeOfWanted = total(wanted, measure);
  const sizeOfPassages = total(passages, measure);
  return {
    recall: share(hit, sizeOfWanted),
    precision: share(hit, sizeOfPassages),
    iou: share(hit, sizeOfPassages + sizeOfWanted - hit),
  };
}

/**
 * Precision at its best, the paper's precision Ω: of the chunks that hold anything of the references, all retrieved, the
 * share that references are. What a chunker allows whatever retrieval does.
 */
export function bestPrecision(
  references: readonly DocumentSpan[],
  chunks: readonly DocumentSpan[],
  measure: Measure = length,
): number {
  const touched = united(chunks.filter((chunk) => references.some((reference) => overlaps(reference, chunk))));
  const wanted = united(references);
  const hit = total(
    wanted.flatMap((reference) => touched.flatMap((chunk) => intersection(reference, chunk))),
    measure,
  );
  return share(hit, total(touched, measure) + total(wanted, measure) - hit);
}

const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

const total = (spans: readonly DocumentSpan[], measure: Measure): number =>
  spans.reduce((sum, span) => sum + measure(span), 0);

/** Whether two stretches have text in common. */
export const overlaps = (a: DocumentSpan, b: DocumentSpan): boolean =>
  a.document === b.document && a.start < b.end && b.start < a.end;

function intersection(a: DocumentSpan, b: DocumentSpan): DocumentSpan[] {
  if (!overlaps(a, b)) return [];
  return [{ document: a.document, start: Math.max(a.start, b.start), end: Math.min(a.end, b.end) }];
}

/** The same text as stretches that neither overlap nor touch. */
function united(spans: readonly DocumentSpan[]): DocumentSpan[] {
  const sorted = [...spans].sort((a, b) =>
    a.document < b.document ? -1 : a.document > b.document ? 1 : a.start - b.start,
  );
  const merged: DocumentSpan[] = [];
  for (const span of sorted) {
    const last = merged.at(-1);
    if (last?.document === span.document && span.start <= last.end) {
      merged[merged.length - 1] = { ...last, end: Math.max(last.end, span.end) };
    } else merged.push(span);
  }
  return merged;
}
