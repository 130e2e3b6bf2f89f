/** @file The documents of a folder, split into those to learn from and those to be tested on. */

import { createHash, type Hash } from "node:crypto";
import type { HostTensor } from "../base/host-tensor.js";
import { type Document, type ScanSummary, type Skip, scanFolder } from "../documents/index.js";
import type { Tokenizer } from "../tokenizers/index.js";
import type { TokenDocument } from "../train/index.js";

export interface Corpus {
  readonly documents: readonly Document[];
  readonly skipped: readonly Skip[];
  /** Hidden files and folders, counted only. */
  readonly numIgnored: number;
}

/** Reads a folder. @throws DataError when it holds nothing usable, with the reasons counted; the signal's reason once it is aborted. */
export async function readCorpus(folder: string, signal?: AbortSignal): Promise<Corpus> {
  const documents: Document[] = [];
  const skipped: Skip[] = [];
  let summary: ScanSummary | undefined;
  for await (const entry of scanFolder(folder)) {
    signal?.throwIfAborted();
    if (entry.kind === "document") documents.push(entry);
    else if (entry.kind === "skip") skipped.push(entry);
    else summary = entry;
  }
  return { documents, skipped, numIgnored: summary?.numIgnored ?? 0 };
}

/** What a model expects around a document. */
export interface DocumentMarks {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

export interface TokenSplit {
  readonly train: readonly TokenDocument[];
  readonly heldOut: readonly TokenDocument[];
  /** Characters of the held-out text, for bits per character. */
  readonly heldOutChars: number;
}

/** Share of the text, at most, that is held out. */
const HELD_OUT = 0.1;

/**
 * Splits by document, so that no text is on both sides: documents in the order of a hash of their path, until a tenth of
 * the characters is held out. A single document gives up the end of its text instead.
 */
export function splitTokens(corpus: Corpus, tokenizer: Tokenizer, { prefix, suffix }: DocumentMarks): TokenSplit {
  const encode = (text: string): TokenDocument => ({
    ids: Int32Array.from([...prefix, ...tokenizer.encode(text), ...suffix]),
  });
  const { documents } = corpus;
  const [only] = documents;
  if (only && documents.length === 1) {
    const cut = Math.floor(only.text.length * (1 - HELD_OUT));
    const [head, tail] = [only.text.slice(0, cut), only.text.slice(cut)];
    return { train: [encode(head)], heldOut: [encode(tail)], heldOutChars: tail.length };
  }
  const order = [...documents].sort((a, b) => (orderKey(a) < orderKey(b) ? -1 : 1));
  const total = documents.reduce((sum, { text }) => sum + text.length, 0);
  const train: TokenDocument[] = [];
  const heldOut: TokenDocument[] = [];
  let heldOutChars = 0;
  for (const { text } of order) {
    const fits = heldOutChars + text.length <= total * HELD_OUT;
    const isLastChance = heldOut.length === 0 && train.length === documents.length - 1;
    if (fits || isLastChance) {
      heldOut.push(encode(text));
      heldOutChars += text.length;
    } else {
      train.push(encode(text));
    }
  }
  return { train, heldOut, heldOutChars };
}

const orderKey = ({ path }: Document): string => sha256(path);

/** Adds a tensor's name and bytes to a digest. */
export function hashTensor(hash: Hash, name: string, { data }: HostTensor): void {
  hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** Hex digest of strings, told apart by their lengths. */
export function sha256(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
