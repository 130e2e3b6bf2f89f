/** @file Labelled questions: from a file, or made from the documents themselves. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { DataError, messageOf } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { sentences, sentenceWindow, type TokenCounter } from "../../chunk/index.js";
import type { Document } from "../../documents/index.js";
import type { DocumentSpan } from "../../metrics/index.js";
import { isFunctionWord } from "../../retrieval/terms.js";
import { words } from "../../text/index.js";
import type { LabelledQuestion } from "./score-retrieval.js";

type Source = Pick<Document, "path" | "text" | "mediaType">;

const spanSchema = z.union([
  z.strictObject({ path: z.string(), start: z.int().min(0), end: z.int().min(1) }),
  z.strictObject({ path: z.string().optional(), quote: z.string().min(1) }),
]);
const lineSchema = z.object({ question: z.string().min(1), spans: z.array(spanSchema).min(1) });

/**
 * Reads a labelled set: a line of JSON per question, `{"question": …, "spans": [{"path", "start", "end"} or {"quote", "path"?}]}`.
 * Offsets count UTF-16 code units of the document's text; a quote stands for the first place with just these characters.
 * @throws DataError naming the line that is no such JSON, or whose document or quote is not there.
 */
export async function readQuestions(file: string, documents: readonly Source[]): Promise<LabelledQuestion[]> {
  const questions: LabelledQuestion[] = [];
  for (const [i, line] of (await readFile(file, "utf8")).split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      const { question, spans } = lineSchema.parse(JSON.parse(line));
      questions.push({ question, references: spans.map((span) => referenceOf(span, documents)) });
    } catch (thrown) {
      const reason = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
      throw new DataError(`questions: ${file}, line ${i + 1}: ${reason}`, { cause: thrown });
    }
  }
  if (questions.length === 0) throw new DataError(`questions: ${file} holds none; expected a line of JSON for each`);
  return questions;
}

function referenceOf(span: z.infer<typeof spanSchema>, documents: readonly Source[]): DocumentSpan {
  const among = documents.filter(({ path }) => span.path === undefined || path === span.path);
  if (among.length === 0) throw new DataError(`no document is called ${span.path}`);
  if ("quote" in span) {
    const document = among.find(({ text }) => text.includes(span.quote));
    if (document === undefined) throw new DataError(`the quote "${span.quote.slice(0, 80)}" is in no document`);
    const start = document.text.indexOf(span.quote);
    return { document: document.path, start, end: start + span.quote.length };
  }
  const { text } = among[0]!;
  if (span.end > text.length || span.start >= span.end) {
    throw new DataError(
      `[${span.start}, ${span.end}) is no stretch of ${span.path}, which has ${text.length} code units`,
    );
  }
  return { document: span.path, start: span.start, end: span.end };
}

export interface MadeQuestionsOptions {
  readonly counter: TokenCounter;
  /** Default 200. */
  readonly numQuestions?: number;
  readonly seed?: number;
}

/** Sentences that ask and answer little, and those that are tables in disguise. */
const SENTENCE_LENGTH = { min: 60, max: 400 };
/** A section's answer is its first sentence, up to this many tokens. */
const ANSWER_TOKENS = 64;

/**
 * Questions out of documents, for those who have none: the headings over a section ask for its first sentence, and a sentence with
 * every second of its telling words left out asks for the whole of it. Half of each where there are enough. They prefer what
 * keeps sections and sentences together, in the words of the documents; questions as people ask them tell more.
 * @throws DataError if the documents have neither sections nor sentences.
 */
export function makeQuestions(
  documents: readonly Source[],
  { counter, numQuestions = 200, seed = 1 }: MadeQuestionsOptions,
): LabelledQuestion[] {
  const rng = new Rng(seed);
  const sections = documents.flatMap((document) => sectionQuestions(document, counter));
  const chosen = sample(sections, numQuestions >> 1, rng);
  const asked = sample(documents.flatMap(sentenceSpans), numQuestions - chosen.length, rng);
  const all = [...chosen, ...asked.map((span) => sentenceQuestion(span, documents))];
  if (all.length === 0)
    throw new DataError(
      "questions: the documents have no sections or sentences to ask for; give some with --questions",
    );
  return all;
}

/** The titles over each section that has text of its own, and its first sentence. */
function sectionQuestions({ path, text, mediaType }: Source, counter: TokenCounter): LabelledQuestion[] {
  if (mediaType !== "text/markdown") return [];
  const first = [...sentenceWindow.chunk(text, { counter, maxTokens: ANSWER_TOKENS, windowSentences: 0 })].filter(
    ({ headingPath }, i, all) => headingPath.length > 0 && all[i - 1]?.headingPath !== headingPath,
  );
  return first.flatMap(({ start, end, text: opening, headingPath }) => {
    const titles = /^(?:#{1,6} .*\n\s*)+/.exec(opening)?.[0].length ?? 0;
    if (titles === 0 || end - start - titles < SENTENCE_LENGTH.min) return [];
    const references = [{ document: path, start: start + titles, end }];
    return [{ question: headingPath.slice(-2).join(" "), references }];
  });
}

function sentenceSpans({ path, text }: Source): DocumentSpan[] {
  return [...sentences(text)].flatMap(({ start, end }) => {
    const length = end - start;
    return length < SENTENCE_LENGTH.min || length > SENTENCE_LENGTH.max || /[|\n]/.test(text.slice(start, end))
      ? []
      : [{ document: path, start, end }];
  });
}

function sentenceQuestion(span: DocumentSpan, documents: readonly Source[]): LabelledQuestion {
  const { text } = documents.find(({ path }) => path === span.document)!;
  const sentence = text.slice(span.start, span.end);
  const telling = [...words(sentence)]
    .map(({ start, end }) => sentence.slice(start, end))
    .filter((word) => !isFunctionWord(word));
  return { question: telling.filter((_, i) => i % 2 === 0).join(" "), references: [span] };
}

/** Some items in their order, all equally likely. */
function sample<Item>(items: readonly Item[], count: number, rng: Rng): Item[] {
  const order = items.map((_, i) => i);
  for (let i = 0; i < Math.min(count, order.length); i++) {
    const j = i + rng.below(order.length - i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order
    .slice(0, count)
    .sort((a, b) => a - b)
    .map((i) => items[i]!);
}
