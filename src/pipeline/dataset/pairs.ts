/** @file Questions and instructions with their answers, made from what documents say and how they are built. */

import { sections, sentences, type TokenCounter } from "../../chunk/index.js";
import type { Document } from "../../documents/index.js";

/** What a pair was made from. */
export type PairKind = "section" | "question" | "definition" | "written";

/** A question or instruction, and the stretch of a document that answers it. */
export interface Pair {
  readonly kind: PairKind;
  readonly instruction: string;
  /** `document.text.slice(start, end)`. */
  readonly output: string;
  readonly start: number;
  readonly end: number;
}

export interface PairOptions {
  readonly counter: TokenCounter;
  /** Most tokens of an answer; a longer section is left out, never cut. Default 256. */
  readonly maxTokens?: number;
}

/** Fewest characters of a section that says something. */
const LEAST_CHARS = 40;

type Source = Pick<Document, "text" | "mediaType">;

/**
 * Pairs that need no model: a section for its headings, as an instruction or, where the heading asks something, as the
 * answer to it; and a sentence that says what a thing is, for the question what it is. English and Chinese.
 */
export function* structuralPairs(document: Source, { counter, maxTokens = 256 }: PairOptions): Generator<Pair> {
  yield* sectionPairs(document, counter, maxTokens);
  yield* definitionPairs(document);
}

function* sectionPairs({ text, mediaType }: Source, counter: TokenCounter, maxTokens: number): Generator<Pair> {
  if (mediaType !== "text/markdown") return;
  for (const { headingPath, bodyStart, end: sectionEnd } of sections(text)) {
    const body = text.slice(bodyStart, sectionEnd);
    const start = bodyStart + (body.length - body.trimStart().length);
    const end = bodyStart + body.trimEnd().length;
    const title = headingPath.at(-1);
    if (title === undefined || end - start < LEAST_CHARS || counter.count(text, start, end) > maxTokens) continue;
    const output = text.slice(start, end);
    const isQuestion = questionStart.test(title) || /[?？]\s*$/u.test(title);
    const instruction = isQuestion ? title : instructionFor(headingPath, output);
    yield { kind: isQuestion ? "question" : "section", instruction, output, start, end };
  }
}

/** "How to" and "Why not" ask something without a mark. */
const questionStart = /^(?:how|what|why|when|where|who|which)\b.*[^.:]$/iu;

function instructionFor(path: readonly string[], body: string): string {
  const [title, above] = [path.at(-1)!, path.length > 1 ? path.at(-2)! : undefined];
  if (isChinese(body)) return above === undefined ? `说明“${title}”。` : `说明${above}中的“${title}”。`;
  return above === undefined ? `Explain "${title}".` : `Explain "${title}" (${above}).`;
}

const isChinese = (text: string): boolean => (text.match(/\p{sc=Han}/gu) ?? []).length * 4 > text.length;

/** A name, then what it is. Pronouns name nothing. */
const english =
  /^((?:(?:The|An?) )?(?!(?:It|This|That|These|Those|There|He|She|They|We|You|I|What|Which|Here|One)\b)[A-Z`][\w`.-]*(?: [\w`.-]+){0,4}) (is|are) (?:an?|the|one of|any|used)\b/u;
const chinese =
  /^(?!(?:这|那|它|他|她|我|你|其|此|该|但|而)\p{sc=Han}*)([\p{sc=Han}\w]{2,12})(?:是|是指|指的是)(?:一[种个类项]|用于|指)/u;

function* definitionPairs({ text }: Source): Generator<Pair> {
  for (const { start, end } of sentences(text)) {
    const output = text.slice(start, end);
    if (output.length < LEAST_CHARS / 2 || output.length > 400 || /[\n|]/u.test(output)) continue;
    const [, subject, verb] = english.exec(output) ?? [];
    const name = chinese.exec(output)?.[1];
    if (subject !== undefined)
      yield { kind: "definition", instruction: `What ${verb} ${uncapitalised(subject)}?`, output, start, end };
    else if (name !== undefined) yield { kind: "definition", instruction: `什么是${name}？`, output, start, end };
  }
}

/** An article within a question is small. */
const uncapitalised = (subject: string): string => subject.replace(/^(The|An?) /u, (article) => article.toLowerCase());
