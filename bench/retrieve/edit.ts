/** @file A corpus of which 1 % changes: how many of its chunks are embedded again. */

import { Rng } from "../../src/base/rng.js";
import { chunkers } from "../../src/chunk/index.js";
import { type SourceDocument, syncIndex } from "../../src/retrieval/index.js";
import { trainByteLevelBpe } from "../../src/tokenizers/index.js";
import { type BenchContext, type Figure, plain } from "../bench.js";
import { corpus } from "./material.js";
import { withStore } from "./store.js";

const numDocuments = 600;
/** Characters of a paragraph that is put in; so many that all together are 1 % of the corpus. */
const paragraphChars = 600;

export async function editFigures({ log }: BenchContext): Promise<Figure[]> {
  const documents: SourceDocument[] = [];
  for (const { source, path, text } of corpus("corpus-en-01")) {
    documents.push({ path: `${source}/${path}`, hash: "1", text });
    if (documents.length === numDocuments) break;
  }
  const counter = trainByteLevelBpe(
    documents.slice(0, 60).map(({ text }) => text),
    { vocabSize: 2048, specialTokens: [], pretokenizer: "gpt2" },
  );
  const edited = edit(documents);
  const figures: Figure[] = [];
  for (const name of ["recursive", "content-defined"] as const) {
    const share = await withStore({ embedding: { model: "ones", dimension: 2 } }, async (store) => {
      let numEmbedded = 0;
      const options = {
        chunk: ({ text }: SourceDocument) => chunkers[name].chunk(text, { counter, maxTokens: 256 }),
        embed: async (texts: readonly string[]) => {
          numEmbedded += texts.length;
          return texts.map(() => Float32Array.of(1, 0));
        },
      };
      await syncIndex(store, documents, options);
      const numChunks = await store.count();
      numEmbedded = 0;
      await syncIndex(store, edited, options);
      log(`  ${name}: ${numEmbedded} of ${numChunks} chunks embedded again`);
      return numEmbedded / numChunks;
    });
    figures.push(plain(`1 % of the text edited, embedded again, ${name}`, "share", share, { atMost: 0.05 }));
  }
  return figures;
}

/** Paragraphs of other documents at random line ends. */
function edit(documents: readonly SourceDocument[]): SourceDocument[] {
  const rng = new Rng(3);
  const texts = documents.map(({ text }) => text);
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  const changed = new Set<number>();
  for (let added = 0; added < total / 100; added += paragraphChars) {
    const [target, from] = [rng.below(texts.length), rng.below(texts.length)];
    const text = texts[target]!;
    const at = text.indexOf("\n", rng.below(text.length)) + 1;
    const start = rng.below(Math.max(1, documents[from]!.text.length - paragraphChars));
    const paragraph = documents[from]!.text.slice(start, start + paragraphChars);
    texts[target] = `${text.slice(0, at)}\n${paragraph}\n\n${text.slice(at)}`;
    changed.add(target);
  }
  return documents.map((document, i) => (changed.has(i) ? { ...document, hash: "2", text: texts[i]! } : document));
}
