/** @file Embedder over a static model in a folder. */

import { basename, resolve } from "node:path";
import type { Embedder, EmbedderDef } from "./embedder.js";
import { readStaticModel } from "./static/static-folder.js";

/** Texts between two looks at the signal and at other work: some milliseconds. */
const TEXTS_PER_TURN = 64;

/**
 * A folder in the layout of sentence-transformers' `StaticEmbedding`. Queries and passages are treated alike, texts of any
 * length are taken whole, and nothing runs but a loop. `embedTokens` gives the rows of the table, which see no context: late
 * chunking over them is embedding each chunk by itself.
 * @throws CheckpointError when the folder holds no such model.
 */
export const staticFolder: EmbedderDef = {
  name: "static",
  open: (folder) => openStatic(folder, basename(resolve(folder))),
};

async function openStatic(folder: string, name: string): Promise<Embedder> {
  const { model, contentHash } = await readStaticModel(folder);
  return {
    model: `${name}@${contentHash}`,
    dimension: model.table.dimension,
    async embed(texts, _, signal) {
      const vectors: Float32Array[] = [];
      for (const [i, text] of texts.entries()) {
        if (i % TEXTS_PER_TURN === 0) {
          signal?.throwIfAborted();
          if (i > 0) await new Promise(setImmediate);
        }
        vectors.push(model.embed(text));
      }
      return vectors;
    },
    embedTokens: async (text) => model.embedTokens(text),
  };
}
