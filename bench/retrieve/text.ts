/** @file Search by words beside other libraries: the right paragraph among XQuAD's 240, and speed on 10,000 chunks. */

import { type DocumentChunks, retrieve, type Store, splitQuestion } from "../../src/retrieval/index.js";
import { type BenchContext, compared, type Figure, median } from "../bench.js";
import { corpus, type Passages, pieces, timed, xquad } from "./material.js";
import { type Language, type Peer, peers, type Ranker } from "./peers.js";
import { withStore } from "./store.js";

const numSpeedChunks = 10_000;
const numSpeedQueries = 60;

const documentsOf = (texts: readonly string[]): DocumentChunks[] =>
  texts.map((text, i) => ({ path: `${i}`, hash: "", chunks: pieces(`${i}`, text, text.length) }));

const rankerOf =
  (store: Store): Ranker =>
  async (text, limit) =>
    (await store.query({ text, limit })).map(({ chunk }) => Number(chunk.path));

interface Quality {
  readonly first: number;
  readonly five: number;
  readonly mrr: number;
}

/** Shares of questions whose paragraph comes first or among five, and the mean reciprocal rank. */
async function qualityOf(rank: Ranker, { paragraphs, questions }: Passages): Promise<Quality> {
  const ranks: number[] = [];
  for (const { question, paragraph } of questions) {
    const at = (await rank(question, paragraphs.length)).indexOf(paragraph);
    ranks.push(at < 0 ? Number.POSITIVE_INFINITY : at + 1);
  }
  const mean = (value: (rank: number) => number): number => ranks.reduce((sum, r) => sum + value(r), 0) / ranks.length;
  return { first: mean((r) => Number(r <= 1)), five: mean((r) => Number(r <= 5)), mrr: mean((r) => 1 / r) };
}

async function figuresOfLanguage(language: Language, log: BenchContext["log"]): Promise<Figure[]> {
  const passages = xquad(language);
  const ours = await withStore({}, async (store) => {
    await store.replace(documentsOf(passages.paragraphs));
    return qualityOf(rankerOf(store), passages);
  });
  const figures: Figure[] = [];
  for (const { name, build } of peers) {
    const quality = await qualityOf(await build(passages.paragraphs, language), passages);
    log(`  ${language} ${name}: ${JSON.stringify(quality)}`);
    const beside = (figure: string, key: keyof Quality): Figure =>
      compared(`XQuAD ${language}, ${figure}`, "share", ours[key], { value: quality[key], name }, { atLeast: 1 });
    figures.push(beside("recall@1", "first"), beside("recall@5", "five"), beside("MRR", "mrr"));
  }
  return figures;
}

/** Two questions asked as one: how often both paragraphs are among ten, by the whole and by its parts. */
async function figuresOfCompound(): Promise<Figure[]> {
  const { paragraphs, questions } = xquad("en");
  return withStore({}, async (store) => {
    await store.replace(documentsOf(paragraphs));
    const pairs = questions.slice(0, 300).map((of, i) => [of, questions[(i + 590) % questions.length]!] as const);
    const share = async (options: Parameters<typeof retrieve>[1]): Promise<number> => {
      let found = 0;
      for (const [one, other] of pairs) {
        const question = `${one.question.replace(/\?$/, "")}, and ${other.question}`;
        const { passages } = await retrieve(question, options);
        const places = passages.map(({ chunk }) => Number(chunk.path));
        if (places.includes(one.paragraph) && places.includes(other.paragraph)) found++;
      }
      return found / pairs.length;
    };
    const whole = { value: await share({ store, limit: 5 }), name: "one query" };
    return [
      compared(
        "two questions in one, both among 5, by its parts too",
        "share",
        await share({ store, limit: 5, rewrite: splitQuestion }),
        whole,
        { atLeast: 1 },
      ),
    ];
  });
}

async function figuresOfSpeed(log: BenchContext["log"]): Promise<Figure[]> {
  const texts: string[] = [];
  for (const { path, text } of corpus("corpus-en-00")) {
    texts.push(...pieces(path, text).map((chunk) => chunk.text));
    if (texts.length >= numSpeedChunks) break;
  }
  texts.length = numSpeedChunks;
  const questions = xquad("en")
    .questions.slice(0, numSpeedQueries)
    .map(({ question }) => question);
  return withStore({}, async (store) => {
    const [, indexing] = await timed(() => store.replace(documentsOf(texts)));
    const rank = rankerOf(store);
    await rank("warm", 10);
    const rows = await Promise.all(peers.map((peer) => speedOf(peer, texts, questions)));
    const own: number[] = [];
    for (const question of questions) own.push((await timed(() => rank(question, 10)))[1]);
    for (const { name, build, query } of rows) log(`  ${name}: ${build.toFixed(0)} ms, ${query.toFixed(2)} ms a query`);
    return rows.flatMap(({ name, build, query }) => [
      compared("10,000 chunks, indexing", "ms", indexing, { value: build, name }),
      compared("10,000 chunks, query", "ms", median(own), { value: query, name }, { atMost: 1 }),
    ]);
  });
}

async function speedOf(
  { name, build }: Peer,
  texts: readonly string[],
  questions: readonly string[],
): Promise<{ name: string; build: number; query: number }> {
  const [rank, building] = await timed(() => build(texts, "en"));
  const times: number[] = [];
  for (const question of questions) times.push((await timed(() => rank(question, 10)))[1]);
  return { name, build: building, query: median(times) };
}

export async function textFigures({ log }: BenchContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const language of ["en", "zh", "es"] as const) figures.push(...(await figuresOfLanguage(language, log)));
  figures.push(...(await figuresOfCompound()), ...(await figuresOfSpeed(log)));
  return figures;
}
