/** @file Chooses among the tokenizer files of a model's folder. */

import { CheckpointError } from "../../base/errors.js";
import { tokenizerFromLlama2c } from "../llama2c.js";
import type { Tokenizer } from "../tokenizer.js";
import { JsonTokenizer, tokenizerFromJson } from "../tokenizer-json.js";
import { bertFile } from "./bert.js";
import { TokenizerConfig } from "./config.js";
import { gpt2File } from "./gpt2.js";
import { sentencePieceOf } from "./sentencepiece.js";

type Files = ReadonlyMap<string, Uint8Array>;

interface FileFormat {
  /** Files that must all be there. */
  readonly needs: readonly string[];
  read(files: Files, first: Uint8Array, second: Uint8Array): Tokenizer;
}

const sentencePieceFormat = (name: string): FileFormat => ({
  needs: [name],
  read: (files, model) => sentencePieceOf(model, new TokenizerConfig(files)),
});

/** What is looked for, in this order: the first that is there is read. */
export const tokenizerFiles: readonly FileFormat[] = [
  { needs: ["tokenizer.json"], read: (_, json) => tokenizerFromJson(new TextDecoder().decode(json)) },
  sentencePieceFormat("tokenizer.model"),
  sentencePieceFormat("spiece.model"),
  sentencePieceFormat("sentencepiece.bpe.model"),
  {
    needs: ["vocab.json", "merges.txt"],
    read: (files, _, merges) => new JsonTokenizer(gpt2File(files, merges, new TokenizerConfig(files))),
  },
  { needs: ["vocab.txt"], read: (files, vocab) => new JsonTokenizer(bertFile(vocab, new TokenizerConfig(files))) },
  { needs: ["tokenizer.bin"], read: (_, binary) => tokenizerFromLlama2c(binary) },
];

/**
 * The tokenizer in the files of a model's folder, by name: tokenizer.json, or a SentencePiece model, vocab.json with
 * merges.txt, vocab.txt (each with tokenizer_config.json), or llama2.c's tokenizer.bin.
 * @throws CheckpointError when there is none of these, listing what was looked for, or when one cannot be read.
 * @throws UnsupportedError naming what is not supported.
 */
export function tokenizerFromFiles(files: Files): Tokenizer {
  for (const { needs, read } of tokenizerFiles) {
    const found = needs.flatMap((name) => files.get(name) ?? []);
    const [first, second = first] = found;
    if (found.length === needs.length && first !== undefined && second !== undefined) return read(files, first, second);
  }
  const wanted = tokenizerFiles.map(({ needs }) => needs.join(" with ")).join(", ");
  const found = [...files.keys()].sort().join(", ") || "nothing";
  throw new CheckpointError(
    `tokenizer: looked for ${wanted}; found ${found}; add one of these files to the model's folder`,
  );
}
