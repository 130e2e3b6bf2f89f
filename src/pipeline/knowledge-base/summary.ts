/** @file What a folder says, in key sentences or as a model writes it, every sentence with its place. */

import {
  type Answer,
  attributedAnswer,
  checkedQuotes,
  keySentences,
  type Quote,
  quotesAnswer,
  type SummaryDocument,
  type SummaryTopic,
} from "../../answer/index.js";
import { CapacityError, ConfigError, DataError } from "../../base/errors.js";
import { estimatedTokens, sections, type TokenCounter } from "../../chunk/index.js";
import {
  NO_ANSWER,
  type ReadingModel,
  type ReadingRequest,
  type ReadingStrategyName,
  readingStrategies,
} from "../../long/index.js";
import { type RetrieveOptions, takeFitting } from "../../retrieval/index.js";
import { readDocuments } from "../read-documents.js";
import type { KnowledgeBase } from "./knowledge-base.js";

export interface SummaryOptions
  extends Pick<ReadingRequest, "answerTokens" | "concurrency" | "results" | "onPart" | "signal"> {
  /** What it is about. Default: all that the documents say. */
  readonly topic?: string;
  /** Only these documents. Default all. */
  readonly paths?: readonly string[];
  /** Most quotes. Default two for each document, at most 40. */
  readonly limit?: number;
  /** Most tokens of all quotes together, by `counter`. Default: no bound. */
  readonly maxTokens?: number;
  /** Default: an estimate. */
  readonly counter?: TokenCounter;
  /** What is searched for a topic. */
  readonly by?: RetrieveOptions["by"];
  /** Passages that are looked at for a topic. Default 50. */
  readonly passages?: number;
  /** Writes the summary. Default: it is quotes alone. */
  readonly model?: ReadingModel;
  /** How the model reads. Default map-reduce. */
  readonly strategy?: ReadingStrategyName;
}

export interface Summary extends Answer {
  /** Documents that a quote is from, in the order of their paths. */
  readonly covered: readonly string[];
  /** The others. */
  readonly uncovered: readonly string[];
}

/** More is no summary. */
const MOST_QUOTES = 40;
const QUOTES_PER_DOCUMENT = 2;
/** Passages that may support a sentence of a model. */
const SUPPORT = 5;

/**
 * Sums up the documents of an index. Without a model, by key sentences in the order of their documents; with one, by its
 * reading of every document (of those that were found, for a topic) and then of what it wrote about each.
 * @throws DataError when a document has changed since it was indexed, or a path is not in the index; ConfigError for a
 * count that is no whole number from 1; CapacityError where not one sentence fits `maxTokens`; what the reading strategy
 * throws.
 */
export async function summarize(knowledge: KnowledgeBase, options: SummaryOptions): Promise<Summary> {
  const paths = await pathsOf(knowledge, options.paths);
  const { limit = Math.min(MOST_QUOTES, QUOTES_PER_DOCUMENT * Math.max(1, paths.length)), passages = 50 } = options;
  for (const [name, count] of Object.entries({ limit, passages, maxTokens: options.maxTokens ?? 1 }))
    if (!Number.isInteger(count) || count < 1)
      throw new ConfigError(`summing up: ${name} must be a whole number from 1, got ${count}`);
  const about = await topicOf(knowledge, { ...options, passages });
  const found = about && new Set(about.passages.map(({ chunk }) => chunk.path));
  const read = paths.filter((path) => !found || found.has(path));
  const answer = options.model
    ? await written(knowledge, read, options.model, options)
    : quotesAnswer(await quoted(knowledge, read, { ...options, limit }, about));
  const covered = new Set(answer.statements.flatMap(({ quotes }) => quotes.map(({ path }) => path)));
  return {
    ...answer,
    covered: paths.filter((path) => covered.has(path)),
    uncovered: paths.filter((path) => !covered.has(path)),
  };
}

async function pathsOf(knowledge: KnowledgeBase, wanted: readonly string[] | undefined): Promise<string[]> {
  const known = [...(await knowledge.store.documents()).keys()].sort();
  const unknown = wanted?.find((path) => !known.includes(path));
  if (unknown !== undefined)
    throw new DataError(`summing up: ${unknown} is not in the index of ${knowledge.folder}; index it, or leave it out`);
  return wanted === undefined ? known : known.filter((path) => wanted.includes(path));
}

async function topicOf(
  knowledge: KnowledgeBase,
  { topic, passages: limit, paths, by, signal }: SummaryOptions & { readonly passages: number },
): Promise<SummaryTopic | undefined> {
  if (topic === undefined) return undefined;
  if (topic.trim() === "") throw new ConfigError("summing up: the topic is empty; name one, or leave it out");
  const search = { ...(paths && { paths }), ...(by && { by }), ...(signal && { signal }) };
  const { passages } = await knowledge.retrieve(topic, { limit, ...search });
  return { topic, passages };
}

async function quoted(
  knowledge: KnowledgeBase,
  paths: readonly string[],
  { limit, maxTokens, counter = estimatedTokens }: SummaryOptions & { readonly limit: number },
  about: SummaryTopic | undefined,
): Promise<Quote[]> {
  const documents: SummaryDocument[] = [];
  const sourceOf = knowledge.reader();
  for (const path of paths) {
    // chunks say where pages are and what is about a topic, so they have to be of the text as it is now
    const chunks = await checkedQuotes(await knowledge.store.chunks(path), sourceOf);
    const text = (await sourceOf(path)) ?? "";
    // a chunk may hold several sections
    const isMarkdown = chunks[0]?.metadata?.mediaType === "text/markdown";
    documents.push({ path, text, chunks, sections: isMarkdown ? [...sections(text)] : chunks });
  }
  const quotes = keySentences(documents, limit, about);
  const text = (some: readonly Quote[]) => ({ text: some.map((quote) => quote.text).join("\n") });
  const kept = maxTokens === undefined ? quotes : takeFitting(quotes, text, counter, maxTokens).kept;
  if (kept.length === 0 && quotes.length > 0)
    throw new CapacityError(
      `summing up: none of the ${quotes.length} best sentences fits ${maxTokens} tokens; allow more (--max-tokens)`,
    );
  const place = new Map(paths.map((path, i) => [path, i]));
  return [...kept].sort((a, b) => place.get(a.path)! - place.get(b.path)! || a.start - b.start);
}

const everything =
  "Sum up what is said here: what it is about, what was found or decided, and what follows, with the names and numbers that matter. Write plain sentences.";

async function written(
  knowledge: KnowledgeBase,
  read: readonly string[],
  model: ReadingModel,
  { topic, paths, strategy = "map-reduce", answerTokens, concurrency, results, onPart, signal }: SummaryOptions,
): Promise<Answer> {
  const documents = [];
  for (const path of read) {
    const document = await knowledge.document(path);
    if (document) documents.push(document);
  }
  const { text } = await readDocuments(readingStrategies[strategy], model, documents, {
    task: topic === undefined ? everything : `Sum up what is said here about: ${topic}\nWrite plain sentences.`,
    ...(answerTokens !== undefined && { answerTokens }),
    ...(concurrency !== undefined && { concurrency }),
    ...(results && { results }),
    ...(onPart && { onPart }),
    ...(signal && { signal }),
  });
  const search = { limit: SUPPORT, ...(paths && { paths }), ...(signal && { signal }) };
  const find = async (statement: string) => (await knowledge.retrieve(statement, search)).passages;
  const said = text.startsWith(NO_ANSWER) ? "" : text.trim();
  return { ...(await attributedAnswer(said, find, knowledge.reader())), written: text.trim() };
}
