/** @file Embedders over static models: a folder of one, and the one that comes with the package. */

import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
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

/** The model in the package's `assets/embedder`; its README.md says what it was made of and what it reaches. */
export const builtin: EmbedderDef = {
  name: "builtin",
  open: () => openStatic(builtinFolder(), "builtin"),
};

/** Where the package keeps it. */
export function builtinFolder(): string {
  return fileURLToPath(new URL("../../assets/embedder", import.meta.url));
}

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
