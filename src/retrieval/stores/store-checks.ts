/** @file What every index asks of documents and queries before it touches anything. */
import { ConfigError, DataError } from "../../base/errors.js";
import { checkMetadata, parseFilter } from "../filter.js";
import type { DocumentChunks, Embedding, Query } from "./store.js";

/** How far the squared length of a unit vector may be from 1: rounding to 16 bits stays below. */
const lengthTolerance = 0.01;

/** @throws ConfigError when an index cannot have such vectors. */
export function checkEmbedding({ model, dimension }: Embedding): void {
  if (Number.isSafeInteger(dimension) && dimension > 0 && model !== "") return;
  throw new ConfigError(
    `opening an index: embedding needs a model name and a positive whole dimension, got ${JSON.stringify({ model, dimension })}`,
  );
}

/** A value from disk or server that should say what the vectors are. */
export function isEmbedding(value: unknown): value is Embedding {
  if (typeof value !== "object" || value === null || !("model" in value) || !("dimension" in value)) return false;
  return typeof value.model === "string" && typeof value.dimension === "number";
}

/** @returns what differs between the vectors that an index has and those that are wanted; undefined when nothing does. */
export function embeddingProblem(existing: Embedding | undefined, wanted: Embedding): string | undefined {
  if (existing?.model === wanted.model && existing.dimension === wanted.dimension) return undefined;
  const has = existing === undefined ? "has no vectors" : `has vectors of ${describe(existing)}`;
  return `expected vectors of ${describe(wanted)}, but it ${has}`;
}

const describe = ({ model, dimension }: Embedding): string => `${model} (dimension ${dimension})`;

/** @throws ConfigError as `Store.query` says. */
export function checkQuery({ text, vector, limit, filter }: Query, embedding: Embedding | undefined): void {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new ConfigError(`searching: limit must be a positive whole number, got ${limit}`);
  }
  if (text === undefined && vector === undefined) {
    throw new ConfigError("searching: a query needs text, a vector or both, got neither");
  }
  if (filter !== undefined) parseFilter(filter);
  const problem = vector === undefined ? undefined : problemOf(vector, embedding);
  if (problem !== undefined) throw new ConfigError(`searching: ${problem}`);
}

/** @throws DataError as `Store.replace` says, ids that other documents have aside. */
export function checkDocuments(documents: readonly DocumentChunks[], embedding: Embedding | undefined): void {
  const paths = new Set<string>();
  for (const { path, chunks, metadata } of documents) {
    if (paths.has(path)) throw new DataError(`indexing: ${path} is given twice; give each document once per call`);
    paths.add(path);
    checkKey(path, "path");
    if (metadata !== undefined) checkMetadata(path, metadata);
    for (const { id, vector } of chunks) {
      checkKey(id, "chunk id");
      const problem = vector === undefined ? problemOfNone(embedding) : problemOf(vector, embedding);
      if (problem !== undefined) throw new DataError(`indexing ${path}, chunk ${id}: ${problem}`);
    }
  }
}

/** The error for a chunk whose id another one has. */
export function duplicateId(path: string, id: string): DataError {
  return new DataError(
    `indexing ${path}: another chunk has the id ${JSON.stringify(id)}; ids must be unique in an index`,
  );
}

function problemOfNone(embedding: Embedding | undefined): string | undefined {
  if (embedding === undefined) return undefined;
  return `expected a vector of ${embedding.model}, got none; embed the chunk, as the index has vectors`;
}

function problemOf(vector: Float32Array, embedding: Embedding | undefined): string | undefined {
  if (embedding === undefined) {
    return "got a vector, but the index is text only; index again with an embedder, or leave it out";
  }
  if (vector.length !== embedding.dimension) {
    return `expected ${embedding.dimension} dimensions (${embedding.model}), got ${vector.length}; use the embedder of the index`;
  }
  const squaredLength = vector.reduce((sum, x) => sum + x * x, 0);
  // written so that a vector with NaN fails too
  if (Math.abs(squaredLength - 1) <= lengthTolerance) return undefined;
  return `expected a vector of length 1, got ${Math.sqrt(squaredLength)}; divide it by its length`;
}

/** Whether a database can keep a text as it is. */
export const isStorable = (text: string): boolean => !/[\0\p{Surrogate}]/u.test(text);

/** Databases end text at a zero and have no half surrogate pairs, so two such keys could become one. */
function checkKey(key: string, what: string): void {
  if (isStorable(key)) return;
  throw new DataError(
    `indexing: ${what} ${JSON.stringify(key)} has a zero character or half a surrogate pair; rename it`,
  );
}
