/** @file The chunking evaluation of Smith and Troynikov 2024 (Chroma): five corpora, 472 questions, exact spans; ours and peers. */

import { existsSync, readFileSync } from "node:fs";
import { type Chunk, chunkers, embeddingChunkers, type TokenCounter } from "../../src/chunk/index.js";
import { openEmbedder } from "../../src/embed/index.js";
import {
  type LabelledQuestion,
  type PlacedChunk,
  type RetrievalScores,
  type Search,
  scoreRetrieval,
} from "../../src/pipeline/retrieval-eval/score-retrieval.js";
import { termSearch, vectorSearch } from "../../src/pipeline/retrieval-eval/searches.js";
import { tokenizerFromJson } from "../../src/tokenizers/index.js";
import { type Benchmark, compared, type Figure } from "../bench.js";
import { Lsa } from "./lsa.js";
import { locate, peers } from "./peers.js";

const SHARED = new URL("../../../shared/data/", import.meta.url);
export const CORPORA = ["state_of_the_union", "wikitexts", "chatlogs", "finance", "pubmed"];
/** The same for every splitter, in GPT-2 tokens. */
const SIZES = [100, 200, 400];

type Embed = (texts: readonly string[], kind: "query" | "passage") => Promise<Float32Array[]>;
type Cut = (text: string, document: string) => Promise<readonly PlacedChunk[]>;

interface Row extends RetrievalScores {
  readonly side: "ours" | "peer";
  readonly name: string;
  readonly maxTokens: number;
  readonly overlapTokens: number;
  readonly numChunks: number;
  readonly meanTokens: number;
}

export const chunkEval: Benchmark = {
  name: "chunk-eval",
  about:
    "token-level IoU, recall, precision at k = 5; an argument names an embedder, default LSA; --bm25 searches by terms, --overlap adds an eighth and a quarter, --size=N takes that size alone",
  async run({ log, args }) {
    if (!existsSync(new URL("data-chunking-eval", SHARED))) {
      log("../shared/data/data-chunking-eval is absent: nothing to evaluate on");
      return [];
    }
    const texts = new Map(CORPORA.map((name) => [name, read(`data-chunking-eval/corpora/${name}.md`)]));
    const questions = readQuestions();
    const counter = tokenizerFromJson(read("tok-gpt2/tokenizer.json"));
    const isByTerms = args.includes("--bm25");
    const embed = await embedderOf(
      args.find((arg) => !arg.startsWith("--")),
      [...texts.values()],
    );
    const searchOf = async (chunks: readonly Chunk[]): Promise<Search> => {
      const passages = chunks.map(({ text }) => text);
      return isByTerms ? termSearch(passages) : vectorSearch(passages, { embed });
    };
    const rows: Row[] = [];
    const shares = args.includes("--overlap") ? [0, 1 / 8, 1 / 4] : [0];
    const only = args.flatMap((arg) => /^--size=(\d+)$/.exec(arg)?.slice(1).map(Number) ?? []);
    const grid = (only.length > 0 ? only : SIZES).flatMap((maxTokens) =>
      shares.map((share) => ({ maxTokens, overlapTokens: share * maxTokens })),
    );
    for (const sizes of grid) {
      for (const [side, name, cut] of splitters({ ...sizes, counter }, embed)) {
        const chunks = (await Promise.all([...texts].map(([document, text]) => cut(text, document)))).flat();
        const scores = await scoreRetrieval(chunks, await searchOf(chunks), questions, { k: 5 });
        const meanTokens = chunks.reduce((sum, { numTokens }) => sum + numTokens, 0) / chunks.length;
        rows.push({ side, name, ...sizes, numChunks: chunks.length, meanTokens, ...scores });
        log(rowText(rows.at(-1)!));
      }
    }
    return figuresOf(rows);
  },
};

function read(path: string): string {
  return readFileSync(new URL(path, SHARED), "utf8");
}

/** Rows of questions_df.csv: question, references as JSON, corpus. */
export function readQuestions(): LabelledQuestion[] {
  const csv = read("data-chunking-eval/questions_df.csv");
  const field = String.raw`(?:"((?:[^"]|"")*)"|([^",\n]*))`;
  const rows = [...csv.matchAll(new RegExp(`^${field},${field},${field}$`, "gm"))].slice(1);
  return rows.map(([, q1, q2, r1, r2, c1, c2]) => {
    const plain = (quoted: string | undefined, bare: string | undefined) => quoted?.replaceAll('""', '"') ?? bare ?? "";
    const document = plain(c1, c2);
    const references = JSON.parse(plain(r1, r2)) as { start_index: number; end_index: number }[];
    return {
      question: plain(q1, q2),
      references: references.map(({ start_index: start, end_index: end }) => ({ document, start, end })),
    };
  });
}

const paragraphs = (text: string): string[] => text.split(/\n+/).filter((line) => line.trim().length > 40);

async function embedderOf(choice: string | undefined, texts: readonly string[]): Promise<Embed> {
  if (choice !== undefined) {
    const embedder = await openEmbedder(choice);
    return (passages, kind) => embedder.embed(passages, kind);
  }
  const lsa = new Lsa(texts.flatMap(paragraphs));
  return (passages) => lsa.embed(passages);
}

interface Sizes {
  readonly maxTokens: number;
  readonly overlapTokens: number;
  readonly counter: TokenCounter;
}

function splitters(sizes: Sizes, embed: Embed): [Row["side"], string, Cut][] {
  const options = { ...sizes, embed: (texts: readonly string[]) => embed(texts, "passage") };
  const ours = [
    ...(["recursive", "fixed", "sentence", "content-defined", "parent-child", "sentence-window"] as const).map(
      (name) => [name, (text: string) => chunkers[name].chunk(text, options)] as const,
    ),
    ...Object.entries(embeddingChunkers).map(
      ([name, chunker]) => [name, (text: string) => chunker.chunk(text, options)] as const,
    ),
  ];
  return [
    ...ours.map(([name, chunk]): [Row["side"], string, Cut] => [
      "ours",
      name,
      async (text, document) => {
        const placed: PlacedChunk[] = [];
        for await (const found of chunk(text)) placed.push({ ...found, document });
        return placed;
      },
    ]),
    ...peers.map(({ name, split }): [Row["side"], string, Cut] => [
      "peer",
      name,
      async (text, document) => {
        const pieces = await split(text, sizes);
        return locate(text, pieces).flatMap((span, i) => {
          const numTokens = sizes.counter.count(pieces[i]!);
          return span === undefined ? [] : [{ ...span, document, text: pieces[i]!, headingPath: [], numTokens }];
        });
      },
    ]),
  ];
}

const percent = (value: number): string => (100 * value).toFixed(1).padStart(5);

const rowText = (row: Row): string =>
  `${row.name.padEnd(24)} ${String(row.maxTokens).padStart(4)} ${String(row.overlapTokens).padStart(4)} ${String(row.numChunks).padStart(6)} ${row.meanTokens.toFixed(0).padStart(4)}  IoU ${percent(row.iou)}  recall ${percent(row.recall)}  precision ${percent(row.precision)}  omega ${percent(row.bestPrecision)}  nDCG ${percent(row.ndcg)}  MRR ${percent(row.mrr)}`;

/** Chunkers whose passages are larger than the size: they are in the table, and in no comparison at that size. */
const WITH_PARENTS = ["parent-child", "sentence-window"];

/** The best of each side by measure, over the whole grid and for each size. */
function figuresOf(rows: readonly Row[]): Figure[] {
  const best = (among: readonly Row[], side: Row["side"], measure: "iou" | "recall"): Row =>
    among.filter((row) => row.side === side).reduce((a, b) => (b[measure] > a[measure] ? b : a));
  const sizes = [...new Set(rows.map(({ maxTokens }) => maxTokens))];
  const comparable = rows.filter(({ name }) => !WITH_PARENTS.includes(name));
  return (["iou", "recall"] as const).flatMap((measure) =>
    [undefined, ...sizes].map((size) => {
      const among = comparable.filter(({ maxTokens }) => size === undefined || maxTokens === size);
      const [own, other] = [best(among, "ours", measure), best(among, "peer", measure)];
      const label = `${measure}, ${size === undefined ? "best of all sizes" : `at most ${size} tokens`}: ${own.name}`;
      const peer = { value: other[measure], name: `${other.name} ${other.maxTokens}/${other.overlapTokens}` };
      return compared(label, "share", own[measure], peer, { atLeast: 1 });
    }),
  );
}
