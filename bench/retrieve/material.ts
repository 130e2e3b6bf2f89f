/** @file What retrieval is measured on: the shared corpus in pieces, XQuAD, and vectors that need no model. */

import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Quote } from "../../src/answer/index.js";
import { Rng } from "../../src/base/rng.js";
import type { IndexedChunk } from "../../src/retrieval/index.js";
import { documentTerms } from "../../src/retrieval/terms.js";

const shared = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

/** A document of the corpus. */
export interface CorpusDocument {
  readonly source: string;
  readonly path: string;
  readonly title: string;
  readonly text: string;
}

/** Documents of the corpus whose file names start so: `corpus-en`, `heldout-zh`. */
export function* corpus(prefix: string): Generator<CorpusDocument> {
  const folder = join(shared, "corpus");
  for (const name of readdirSync(folder).filter((file) => file.startsWith(prefix))) {
    const lines = gunzipSync(readFileSync(join(folder, name))).toString();
    for (const line of lines.split("\n")) if (line !== "") yield JSON.parse(line);
  }
}

/** Pieces of about a thousand characters, as the chunks of one document. */
export function pieces(path: string, text: string, lengthChars = 1000): IndexedChunk[] {
  const chunks: IndexedChunk[] = [];
  for (let start = 0; start < text.length; start += lengthChars) {
    const end = Math.min(text.length, start + lengthChars);
    const chunk = {
      start,
      end,
      text: text.slice(start, end),
      headingPath: [],
      numTokens: Math.ceil((end - start) / 4),
    };
    chunks.push({ ...chunk, id: `${path}#${start}` });
  }
  return chunks;
}

export interface LabelledQuestion {
  readonly question: string;
  /** Place of the paragraph that answers. */
  readonly paragraph: number;
  /** Where in it. */
  readonly answer: { readonly start: number; readonly end: number };
}

export interface Passages {
  readonly paragraphs: readonly string[];
  /** Of the article of each paragraph, in English in every language. */
  readonly titles: readonly string[];
  readonly questions: readonly LabelledQuestion[];
}

/** XQuAD: 240 paragraphs and 1,190 questions, the same in every language. */
export function xquad(language: string): Passages {
  const file = readFileSync(join(shared, "data-xquad", `xquad.${language}.json`), "utf8");
  const { data }: XquadFile = JSON.parse(file);
  const all = data.flatMap(({ paragraphs }) => paragraphs);
  return {
    paragraphs: all.map(({ context }) => context),
    titles: data.flatMap(({ title, paragraphs }) => paragraphs.map(() => title.replaceAll("_", " "))),
    questions: all.flatMap(({ qas }, paragraph) =>
      qas.map(({ question, answers: [answer] }) => {
        const start = answer!.answer_start;
        return { question, paragraph, answer: { start, end: start + answer!.text.length } };
      }),
    ),
  };
}

/** Where a paragraph stands in a folder of them. */
export const paragraphPath = (paragraph: number): string => `${paragraph}.txt`;

/** Writes paragraphs as the documents of a new folder. */
export async function writeParagraphs(folder: string, paragraphs: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [i, text] of paragraphs.entries()) await writeFile(join(folder, paragraphPath(i)), text);
}

/** Whether a stretch of such a document holds the answer to a question. */
export const holdsAnswer = (
  { path, start, end }: Pick<Quote, "path" | "start" | "end">,
  { paragraph, answer }: Pick<LabelledQuestion, "paragraph" | "answer">,
): boolean => path === paragraphPath(paragraph) && start <= answer.start && end >= answer.end;

interface XquadFile {
  readonly data: readonly {
    readonly title: string;
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly {
        readonly question: string;
        readonly answers: readonly { readonly text: string; readonly answer_start: number }[];
      }[];
    }[];
  }[];
}

export const dimension = 384;

/**
 * Vectors of texts without a model: sums of a random direction for each term, weighted by tf-idf (random indexing, Sahlgren
 * 2005). They have the structure of the texts, and more dimensions in use than those of trained embedders: a hard case.
 */
export class TermVectors {
  readonly #frequencies = new Map<string, number>();
  readonly #directions = new Map<string, Float32Array>();
  #numTexts = 0;

  /** Learns how frequent terms are. */
  constructor(texts: Iterable<string>) {
    for (const text of texts) {
      this.#numTexts++;
      for (const term of documentTerms(text).counts.keys()) {
        this.#frequencies.set(term, (this.#frequencies.get(term) ?? 0) + 1);
      }
    }
  }

  vectorOf(text: string): Float32Array {
    const vector = new Float32Array(dimension);
    for (const [term, count] of documentTerms(text).counts) {
      const frequency = this.#frequencies.get(term) ?? 0;
      if (frequency < 5) continue;
      const weight = Math.log(1 + count) * Math.log((this.#numTexts + 1) / frequency);
      const direction = this.#directionOf(term);
      for (let i = 0; i < dimension; i++) vector[i]! += weight * direction[i]!;
    }
    const length = Math.hypot(...vector);
    // a text of rare terms only
    if (length === 0) vector[0] = 1;
    return length === 0 ? vector : vector.map((x) => x / length);
  }

  #directionOf(term: string): Float32Array {
    const known = this.#directions.get(term);
    if (known !== undefined) return known;
    const rng = new Rng(this.#directions.size);
    const direction = Float32Array.from({ length: dimension }, () => rng.normal());
    this.#directions.set(term, direction);
    return direction;
  }
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

export interface Times {
  readonly latency: number;
  /** Of the processor: what other work on the machine changes least. */
  readonly processor: number;
}

/** Both in milliseconds. */
export async function timesOf(body: () => Promise<unknown>): Promise<Times> {
  const before = process.cpuUsage();
  const [, latency] = await timed(body);
  const { user, system } = process.cpuUsage(before);
  return { latency, processor: (user + system) / 1000 };
}

/** Milliseconds that something takes. */
export async function timed<T>(body: () => T | Promise<T>): Promise<[result: T, milliseconds: number]> {
  const start = performance.now();
  const result = await body();
  return [result, performance.now() - start];
}
