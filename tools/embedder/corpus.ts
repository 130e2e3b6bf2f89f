/** @file The training corpus: gzipped JSONL, a document a line (../shared/data/corpus; its SOURCE.txt has the licences). */

import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";

export interface CorpusDocument {
  readonly source: string;
  readonly path: string;
  readonly lang: "en" | "zh";
  readonly title: string;
  /** Markdown. */
  readonly text: string;
}

/** Documents to train on, or those held out, in the order of the shards. */
export async function* corpusDocuments(folder: string, part: "corpus" | "heldout"): AsyncGenerator<CorpusDocument> {
  const shards = readdirSync(folder).filter((name) => name.startsWith(`${part}-`) && name.endsWith(".jsonl.gz"));
  for (const shard of shards.sort()) {
    const lines = createInterface({ input: createReadStream(join(folder, shard)).pipe(createGunzip()) });
    for await (const line of lines) yield JSON.parse(line) as CorpusDocument;
  }
}
