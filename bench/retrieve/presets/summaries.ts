/** @file Summaries scored: planted statements and XQuAD's answers that they hold, beside first and random sentences of the same length. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proseSentences } from "../../../src/answer/prose.js";
import { Rng } from "../../../src/base/rng.js";
import { KnowledgeBase } from "../../../src/pipeline/knowledge-base/knowledge-base.js";
import type { SummaryOptions } from "../../../src/pipeline/knowledge-base/summary.js";
import { type Figure, plain } from "../../bench.js";
import { writeParagraphs, xquad } from "../material.js";
import { plantable, planted } from "./planting.js";

const SEEDS = [1, 2, 3, 4];
/** Draws of random sentences. */
const DRAWS = 20;
/** Quotes of a summary of a topic. */
const TOPIC_QUOTES = 8;

/** Quotes for the title of an article of five paragraphs. */
const TITLE_QUOTES = 10;

/** Texts of a summary. */
type Summed = readonly { readonly path: string; readonly text: string }[];

/** Share of what was to be covered, for ours and at the length of ours for others. */
interface Shares {
  ours: number;
  lead: number;
  random: number;
  all: number;
}

export async function summaryFigures(half: 0 | 1, log: (message: string) => void): Promise<Figure[]> {
  const root = await mkdtemp(join(tmpdir(), "tessera-summaries-"));
  try {
    const figures: Figure[] = [];
    for (const language of ["en", "zh"] as const) {
      log(`  summaries, ${language}`);
      figures.push(...(await plantedFigures(join(root, language), language, half)));
      figures.push(...(await answeredFigures(join(root, `xquad-${language}`), language)));
    }
    log("  summaries, topics");
    return [...figures, ...(await titleFigures(join(root, "titles")))];
  } finally {
    await rm(root, { recursive: true });
  }
}

async function plantedFigures(root: string, language: "en" | "zh", half: 0 | 1): Promise<Figure[]> {
  const material = plantable(language);
  const [one, two, about] = [shares(), shares(), shares()];
  for (const seed of SEEDS) {
    const folder = await planted(join(root, `${seed}`, "docs"), material, half, seed);
    await using knowledge = await opened(folder.path);
    for (const [per, counted] of [
      [1, one],
      [2, two],
    ] as const) {
      const summary = await summed(knowledge, { limit: per * folder.texts.size });
      count(
        counted,
        summary,
        folder.texts,
        folder.facts.map(({ path, text }) => ({ path, text })),
        seed,
      );
    }
    const topics = new Set(folder.facts.flatMap(({ topic }) => topic ?? []));
    for (const topic of topics) {
      const facts = folder.facts.filter((fact) => fact.topic === topic);
      count(about, await summed(knowledge, { topic, limit: TOPIC_QUOTES }), folder.texts, facts, seed);
    }
  }
  return [
    ...figuresOf(`${language}: planted statements covered, a quote for each document`, one),
    ...figuresOf(`${language}: planted statements covered, two quotes for each document`, two),
    ...(about.all > 0 ? figuresOf(`${language}: planted statements on a topic, ${TOPIC_QUOTES} quotes`, about) : []),
  ];
}

/** Twenty paragraphs of XQuAD as a folder: the answers that people asked for when they had read them. */
async function answeredFigures(root: string, language: string): Promise<Figure[]> {
  const { paragraphs, questions } = xquad(language);
  const counted = shares();
  for (let first = 0; first < paragraphs.length; first += 20) {
    const texts = new Map(paragraphs.slice(first, first + 20).map((text, i) => [`${first + i}.txt`, text]));
    const folder = join(root, `${first}`);
    await mkdir(folder, { recursive: true });
    for (const [path, text] of texts) await writeFile(join(folder, path), text);
    await using knowledge = await opened(folder);
    const answers = questions.flatMap(({ paragraph, answer }) => {
      const path = `${paragraph}.txt`;
      return texts.has(path) ? [{ path, text: texts.get(path)!.slice(answer.start, answer.end) }] : [];
    });
    count(counted, await summed(knowledge, { limit: 2 * texts.size }), texts, answers, first);
  }
  return figuresOf(`${language}: answers of XQuAD covered, two quotes for each paragraph`, counted);
}

/** The titles of XQuAD's articles as topics of a folder of all paragraphs, beside the quotes of `ask` for the same words. */
async function titleFigures(root: string): Promise<Figure[]> {
  const { paragraphs, titles } = xquad("en");
  await writeParagraphs(root, paragraphs);
  await using knowledge = await opened(root);
  const topics = [...new Set(titles)];
  const found = { summary: { quotes: 0, right: 0, paragraphs: 0 }, ask: { quotes: 0, right: 0, paragraphs: 0 } };
  for (const topic of topics) {
    const asked = await knowledge.ask(topic, { limit: TITLE_QUOTES, passages: 50 });
    const quotes = {
      summary: await summed(knowledge, { topic, limit: TITLE_QUOTES }),
      ask: asked.answer.statements.flatMap((statement) => statement.quotes),
    };
    for (const way of ["summary", "ask"] as const) {
      const right = quotes[way].filter(({ path }) => titles[Number.parseInt(path, 10)] === topic);
      found[way].quotes += quotes[way].length;
      found[way].right += right.length;
      found[way].paragraphs += new Set(right.map(({ path }) => path)).size;
    }
  }
  return (["summary", "ask"] as const).flatMap((way) => [
    plain(
      `titles of XQuAD as topics, ${TITLE_QUOTES} quotes of ${way}: of the article`,
      "share",
      found[way].right / found[way].quotes,
    ),
    plain(
      `titles of XQuAD as topics, ${TITLE_QUOTES} quotes of ${way}: its paragraphs covered`,
      "share",
      found[way].paragraphs / paragraphs.length,
    ),
  ]);
}

async function opened(folder: string): Promise<KnowledgeBase> {
  const knowledge = await KnowledgeBase.open(folder, { workspace: `${folder}-workspace` });
  await knowledge.sync();
  return knowledge;
}

async function summed(knowledge: KnowledgeBase, options: SummaryOptions): Promise<Summed> {
  const { statements } = await knowledge.summary(options);
  return statements.flatMap(({ quotes }) => quotes);
}

const shares = (): Shares => ({ ours: 0, lead: 0, random: 0, all: 0 });

function count(counted: Shares, ours: Summed, texts: ReadonlyMap<string, string>, wanted: Summed, seed: number): void {
  const chars = lengthOf(ours);
  const all = [...texts].map(([path, text]) =>
    proseSentences(text).map(({ start, end }) => ({ path, text: text.slice(start, end) })),
  );
  counted.all += wanted.length;
  counted.ours += numHeld(ours, wanted);
  counted.lead += numHeld(upTo(firstOnes(all), chars), wanted);
  const rng = new Rng(seed);
  for (let draw = 0; draw < DRAWS; draw++)
    counted.random += numHeld(upTo(shuffled(all.flat(), rng), chars), wanted) / DRAWS;
}

const lengthOf = (some: Summed): number => some.reduce((sum, { text }) => sum + text.length, 0);

const numHeld = (summary: Summed, wanted: Summed): number =>
  wanted.filter((one) => summary.some(({ path, text }) => path === one.path && text.includes(one.text))).length;

/** The first sentence of each document, then the second of each. */
function firstOnes(documents: readonly Summed[]): Summed {
  const longest = Math.max(...documents.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => documents.flatMap((sentences) => sentences[i] ?? [])).flat();
}

function shuffled<T>(values: readonly T[], rng: Rng): T[] {
  const left = [...values];
  return values.map(() => left.splice(rng.below(left.length), 1)[0]!);
}

function upTo(sentences: Summed, chars: number): Summed {
  let room = chars;
  return sentences.filter(({ text }) => {
    if (text.length > room) return false;
    room -= text.length;
    return true;
  });
}

const figuresOf = (what: string, { ours, lead, random, all }: Shares): Figure[] => [
  plain(what, "share", ours / all),
  plain(`${what}: as long from the beginnings`, "share", lead / all),
  plain(`${what}: as long at random`, "share", random / all),
];
