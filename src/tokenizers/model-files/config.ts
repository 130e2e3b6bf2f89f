/** @file What the small files beside a vocabulary say: tokenizer_config.json, special_tokens_map.json, added_tokens.json. */

import { z } from "zod";
import { CheckpointError, messageOf } from "../../base/errors.js";
import type { TokenizerFile } from "../formats/format.js";

export type AddedEntry = TokenizerFile["added_tokens"][number];

const tokenSchema = z.union([z.string(), z.looseObject({ content: z.string() })]);
const flagsSchema = z.looseObject({
  content: z.string(),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(false),
  special: z.boolean().default(false),
});
const configSchema = z.looseObject({
  tokenizer_class: z.string().nullish(),
  added_tokens_decoder: z.record(z.string(), flagsSchema).optional(),
  additional_special_tokens: z.array(tokenSchema).nullish(),
});
const addedSchema = z.record(z.string(), z.int().nonnegative());

const roles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"] as const;
export type TokenRole = (typeof roles)[number];

/** Settings of a tokenizer that is not in one file. */
export class TokenizerConfig {
  readonly #config: z.infer<typeof configSchema>;
  readonly #added: ReadonlyMap<string, number>;

  /** @throws CheckpointError when a file is not what it should be. */
  constructor(files: ReadonlyMap<string, Uint8Array>) {
    const special = readJson(files, "special_tokens_map.json", configSchema);
    this.#config = { ...special, ...readJson(files, "tokenizer_config.json", configSchema) };
    this.#added = new Map(Object.entries(readJson(files, "added_tokens.json", addedSchema) ?? {}));
  }

  /** The class without `Fast`, or undefined. */
  get tokenizerClass(): string | undefined {
    return this.#config.tokenizer_class?.replace(/Fast$/, "") ?? undefined;
  }

  /** A setting that is true or false. @throws CheckpointError when it is neither. */
  flag(name: string): boolean | undefined {
    const value = this.#config[name];
    if (value === undefined || value === null || typeof value === "boolean") return value ?? undefined;
    throw new CheckpointError(`tokenizer_config.json: expected ${name} to be true or false, found ${String(value)}`);
  }

  /** The token of a role, such as `bos`. */
  token(role: TokenRole): string | undefined {
    const result = tokenSchema.safeParse(this.#config[`${role}_token`]);
    if (!result.success) return undefined;
    return typeof result.data === "string" ? result.data : result.data.content;
  }

  /**
   * Tokens to be found in texts before all else. Those with a role are special.
   * @param idOf the id of a token in the vocabulary.
   * @param defaults tokens by role where the files say nothing.
   */
  addedTokens(
    idOf: (token: string) => number | undefined,
    defaults: Readonly<Partial<Record<TokenRole, string>>> = {},
  ): AddedEntry[] {
    const entries = new Map<number, AddedEntry>();
    for (const [id, { content, single_word, lstrip, rstrip, normalized, special }] of Object.entries(
      this.#config.added_tokens_decoder ?? {},
    )) {
      entries.set(Number(id), { id: Number(id), content, single_word, lstrip, rstrip, normalized, special });
    }
    const more = (this.#config.additional_special_tokens ?? []).map((token) =>
      typeof token === "string" ? token : token.content,
    );
    const special = new Set([...roles.flatMap((role) => this.token(role) ?? defaults[role] ?? []), ...more]);
    for (const content of new Set([...special, ...this.#added.keys()])) {
      const id = this.#added.get(content) ?? idOf(content);
      if (id !== undefined && !entries.has(id)) entries.set(id, plainEntry(id, content, special.has(content)));
    }
    return [...entries.values()].filter(({ content }) => content !== "").sort((a, b) => a.id - b.id);
  }
}

function plainEntry(id: number, content: string, special: boolean): AddedEntry {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

/** A JSON file of the folder; undefined when it is not there. */
export function readJson<T>(files: ReadonlyMap<string, Uint8Array>, name: string, schema: z.ZodType<T>): T | undefined {
  const bytes = files.get(name);
  if (bytes === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new CheckpointError(`${name}: not JSON: ${messageOf(error)}`, { cause: error });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new CheckpointError(`${name}: ${z.prettifyError(result.error)}`);
}

/** The lines of a text file, without an empty last one. */
export function linesOf(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\n|\r/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}
