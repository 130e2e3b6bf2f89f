/** @file Constraints of texts over one tokenizer's tokens, kept for the next request that asks for the same. */

import { ConfigError, TesseraError, UnsupportedError } from "../base/errors.js";
import { type Constraint, jsonConstraint, jsonSchemaConstraint, TokenTrie, tokenBytes } from "../engine/index.js";
import { ApiError } from "../server/openai/errors.js";
import type { TextConstraint } from "../server/openai/service.js";
import type { Tokenizer } from "../tokenizers/index.js";

/** Constraints that are kept with the masks they have made; of a vocabulary of 100,000 a mask has 12 kB. */
const maxKept = 32;

export class TextConstraints {
  readonly #tokenizer: Tokenizer;
  /** By their JSON, the one used last at the end. */
  readonly #kept = new Map<string, Constraint>();
  #bytes: readonly (Uint8Array | undefined)[] | undefined;
  #trie: TokenTrie | undefined;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Bytes by id; see `tokenBytes`. */
  get bytes(): readonly (Uint8Array | undefined)[] {
    this.#bytes ??= tokenBytes(this.#tokenizer);
    return this.#bytes;
  }

  /** @throws ApiError when nothing can follow the constraint. */
  of(constraint: TextConstraint): Constraint {
    const key = JSON.stringify(constraint);
    const found = this.#kept.get(key) ?? this.#made(constraint);
    this.#kept.delete(key);
    this.#kept.set(key, found);
    if (this.#kept.size > maxKept) this.#kept.delete(this.#kept.keys().next().value!);
    return found;
  }

  #made(constraint: TextConstraint): Constraint {
    try {
      this.#trie ??= new TokenTrie(this.bytes);
      return constraint.type === "json"
        ? jsonConstraint(this.#trie)
        : jsonSchemaConstraint(constraint.schema, this.#trie);
    } catch (thrown) {
      if (!(thrown instanceof TesseraError)) throw thrown;
      const code = thrown instanceof UnsupportedError || thrown instanceof ConfigError ? "invalid_schema" : "too_large";
      throw new ApiError(400, `response_format: ${thrown.message}`, { code, param: "response_format" });
    }
  }
}
