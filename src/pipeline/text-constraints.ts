/** @file Constraints of texts over one tokenizer's tokens, kept for the next request that asks for the same. */

import { ConfigError, TesseraError, UnsupportedError } from "../base/errors.js";
import {
  type Constraint,
  formConstraint,
  jsonConstraint,
  jsonSchemaConstraint,
  type TextForm,
  TokenTrie,
  tokenBytes,
  wordsOf,
} from "../engine/index.js";
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
  /** By the special tokens that are text to it. */
  readonly #tries = new Map<string, TokenTrie>();

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
      if (constraint.type === "json") return jsonConstraint(this.#trieWith([]));
      if (constraint.type === "json_schema") return jsonSchemaConstraint(constraint.schema, this.#trieWith([]));
      return formConstraint(constraint.form, this.#trieWith(this.#specialIn(constraint.form)), constraint.begun);
    } catch (thrown) {
      throw refusal(thrown, constraint.type === "form" ? "tools" : "response_format");
    }
  }

  /** Special tokens that a form's words consist of, such as the mark before a call. */
  #specialIn(form: TextForm): (readonly [string, number])[] {
    const words = wordsOf(form);
    return [...this.#tokenizer.specialTokens].filter(([token]) => words.some((word) => word.includes(token)));
  }

  #trieWith(special: readonly (readonly [token: string, id: number])[]): TokenTrie {
    const key = special.map(([, id]) => id).join();
    const known = this.#tries.get(key);
    if (known) return known;
    const bytes = [...this.bytes];
    for (const [token, id] of special) bytes[id] = new TextEncoder().encode(token);
    const trie = new TokenTrie(bytes);
    this.#tries.set(key, trie);
    return trie;
  }
}

function refusal(thrown: unknown, param: string): unknown {
  if (thrown instanceof RangeError) {
    // the stack's end
    const message = `${param}: the constraint nests too deep to be followed; make it flatter`;
    return new ApiError(400, message, { code: "too_large", param });
  }
  if (!(thrown instanceof TesseraError)) return thrown;
  const code = thrown instanceof UnsupportedError || thrown instanceof ConfigError ? "invalid_schema" : "too_large";
  return new ApiError(400, `${param}: ${thrown.message}`, { code, param });
}
