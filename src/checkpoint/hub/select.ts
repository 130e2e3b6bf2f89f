/** @file Which files of a hub repository a model or a data set consists of. */

import { z } from "zod";
import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { parseJsonAs } from "../json.js";

const indexName = "model.safetensors.index.json";

/** Configs, tokenizers, chat templates and how sentence embeddings are pooled. */
const smallFiles = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "tokenizer.model",
  "spiece.model",
  "spm.model",
  "sentencepiece.bpe.model",
  "chat_template.jinja",
  "chat_template.json",
  "preprocessor_config.json",
  "adapter_config.json",
  "modules.json",
  "sentence_bert_config.json",
  "config_sentence_transformers.json",
  "1_Pooling/config.json",
]);

const pickled = /\.(bin|pt|pth|ckpt|pkl|pickle)$/;

/** The files beside the weights. */
export function filesBesideWeights(paths: readonly string[]): string[] {
  return paths.filter((path) => smallFiles.has(path));
}

/**
 * The files with weights: one safetensors file, or the shards of an index with it, an adapter, or a single GGUF file.
 * @param readIndex gives the bytes of a file of the repository.
 * @throws UnsupportedError when there are only pickles; CheckpointError when the choice is not clear or something is missing.
 */
export async function weightFiles(
  paths: readonly string[],
  readIndex: (path: string) => Promise<Uint8Array>,
  repo: string,
): Promise<string[]> {
  for (const single of ["model.safetensors", "adapter_model.safetensors"]) {
    if (paths.includes(single)) return [single];
  }
  if (paths.includes(indexName)) {
    const { weight_map } = parseJsonAs(
      await readIndex(indexName),
      z.object({ weight_map: z.record(z.string(), z.string()) }),
      `${repo}: ${indexName}`,
    );
    return [indexName, ...new Set(Object.values(weight_map))];
  }
  const gguf = paths.filter((path) => path.endsWith(".gguf"));
  if (gguf.length === 1) return gguf;
  if (gguf.length > 1) {
    throw new CheckpointError(
      `${repo} has ${gguf.length} GGUF files; choose with files, such as files: ["${gguf[0]}"]. There are: ${gguf.join(", ")}`,
    );
  }
  const pickle = paths.find((path) => pickled.test(path));
  if (pickle !== undefined) throw pickleRefusal(repo, pickle);
  throw new CheckpointError(
    `${repo} has no weights: expected model.safetensors, ${indexName} or a .gguf file among ${paths.slice(0, 10).join(", ")}`,
  );
}

/**
 * The files of a data set that hold rows: JSON and JSONL, also gzipped.
 * @throws UnsupportedError when there are only files of other kinds.
 */
export function rowFiles(paths: readonly string[], repo: string): string[] {
  const found = paths.filter(
    (path) => /\.(jsonl|ndjson|json)(\.gz)?$/.test(path) && !/(^|\/)dataset_infos?\.json$/.test(path),
  );
  if (found.length > 0) return found;
  throw new UnsupportedError(
    `${repo} has no JSON or JSONL: ${paths.slice(0, 10).join(", ")}; convert it, or ask for text files with files`,
  );
}

/**
 * The files that match any of the patterns, in which `*` stands for any characters.
 * @throws CheckpointError for a pattern that matches nothing; UnsupportedError when a pickle is asked for by its whole name.
 */
export function matchingFiles(paths: readonly string[], patterns: readonly string[], repo: string): string[] {
  const chosen = new Set<string>();
  for (const pattern of patterns) {
    const expression = new RegExp(
      `^${pattern
        .split("*")
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
        .join(".*")}$`,
    );
    const found = paths.filter((path) => expression.test(path));
    const readable = found.filter((path) => !pickled.test(path));
    if (readable.length === 0 && found.length > 0) throw pickleRefusal(repo, found[0]!);
    if (readable.length === 0) {
      throw new CheckpointError(
        `${repo} has no file ${JSON.stringify(pattern)}; there are: ${paths.slice(0, 20).join(", ")}`,
      );
    }
    for (const path of readable) chosen.add(path);
  }
  return [...chosen];
}

function pickleRefusal(repo: string, path: string): UnsupportedError {
  return new UnsupportedError(
    `${repo}: ${path} is a Python pickle, which runs code when it is loaded, and is not downloaded; look for a revision or a repository with safetensors (https://huggingface.co/spaces/safetensors/convert makes one)`,
  );
}
