/** @file Metadata of an architecture by its short keys, checked when read. */

import { CheckpointError } from "../../base/errors.js";
import type { GgufValue } from "./metadata.js";

export class GgufKeys {
  readonly #metadata: ReadonlyMap<string, GgufValue>;
  readonly #architecture: string;
  readonly #source: string;

  constructor(metadata: ReadonlyMap<string, GgufValue>, architecture: string, source: string) {
    this.#metadata = metadata;
    this.#architecture = architecture;
    this.#source = source;
  }

  /** A number that has to be there. @throws CheckpointError naming the key. */
  number(key: string): number {
    const value = this.optionalNumber(key);
    if (value === undefined) throw this.#wrong(key, "a number", undefined);
    return value;
  }

  optionalNumber(key: string): number | undefined {
    const value = this.#metadata.get(this.#full(key));
    // per-layer arrays of one repeated number say the same as the number
    const single = Array.isArray(value) && new Set(value).size === 1 ? (value[0] as GgufValue) : value;
    if (single === undefined || typeof single === "number") return single;
    throw this.#wrong(key, "a number", value);
  }

  optionalText(key: string): string | undefined {
    const value = this.#metadata.get(this.#full(key));
    if (value === undefined || typeof value === "string") return value;
    throw this.#wrong(key, "text", value);
  }

  optionalFlag(key: string): boolean | undefined {
    const value = this.#metadata.get(this.#full(key));
    if (value === undefined || typeof value === "boolean") return value;
    throw this.#wrong(key, "a boolean", value);
  }

  /** The id of a special token, by the name of its key: `bos` for `tokenizer.ggml.bos_token_id`. */
  tokenId(name: string): number | undefined {
    const value = this.#metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof value === "number" ? value : undefined;
  }

  #full(key: string): string {
    return `${this.#architecture}.${key}`;
  }

  #wrong(key: string, expected: string, found: GgufValue | undefined): CheckpointError {
    const shown = found === undefined ? "nothing" : typeof found === "object" ? "an array" : String(found);
    return new CheckpointError(`${this.#source}: expected ${expected} as ${this.#full(key)}, found ${shown}`);
  }
}
