/** @file Reads a SentencePiece model with the configuration that stands beside it. */

import { CheckpointError, UnsupportedError } from "../../base/errors.js";
import { addedToken } from "../formats/format.js";
import { readSentencePieceModel } from "../sentencepiece/model-file.js";
import { sentencePieceTokenizer } from "../sentencepiece/tokenizer.js";
import type { SequenceTemplate, Tokenizer } from "../tokenizer.js";
import type { TokenizerConfig, TokenRole } from "./config.js";

/** What classes of tokenizer put around a text. Others put nothing there that is known here. */
const templates: readonly (readonly [pattern: RegExp, prefix: readonly TokenRole[], suffix: readonly TokenRole[]])[] = [
  [/^(?:CodeLlama|Gemma|Llama)Tokenizer$/, ["bos"], []],
  [/^(?:MT5|T5)Tokenizer$/, [], ["eos"]],
  [/^(?:Albert|DebertaV2)Tokenizer$/, ["cls"], ["sep"]],
];
const names: Readonly<Partial<Record<TokenRole, string>>> = { bos: "<s>", eos: "</s>", cls: "[CLS]", sep: "[SEP]" };

/**
 * The tokenizer of a SentencePiece model file in a model's folder.
 * @throws UnsupportedError on a class of tokenizer whose ids are not the file's.
 */
export function sentencePieceOf(bytes: Uint8Array, config: TokenizerConfig): Tokenizer {
  const model = readSentencePieceModel(bytes);
  const ids = new Map(model.pieces.map(({ text }, id) => [text, id]));
  const known = new Set(model.pieces.flatMap(({ kind }, id) => (kind === "control" ? [id] : [])));
  const added = config.addedTokens((token) => ids.get(token)).filter(({ id }) => !known.has(id));
  const allIds = new Map([...ids, ...added.map(({ content, id }) => [content, id] as const)]);
  return sentencePieceTokenizer(model, {
    template: templateOf(config, (token) => allIds.get(token)),
    addedTokens: added.map(addedToken),
  });
}

function templateOf(config: TokenizerConfig, idOf: (token: string) => number | undefined): SequenceTemplate {
  const name = config.tokenizerClass;
  const found = templates.find(([pattern]) => name !== undefined && pattern.test(name));
  if (found === undefined && name !== undefined && name !== "PreTrainedTokenizer") {
    throw new UnsupportedError(
      `SentencePiece model: ids of the tokenizer_class ${name} may not be those of the file; save the tokenizer as tokenizer.json with transformers`,
    );
  }
  const [, prefix, suffix] = found ?? [/^$/, [], []];
  const asked = (flag: string, role: TokenRole, byClass: readonly TokenRole[]): readonly TokenRole[] => {
    const value = config.flag(flag);
    return value === undefined ? byClass : value ? [role] : [];
  };
  const idsOf = (roles: readonly TokenRole[]): number[] =>
    roles.map((role) => {
      const token = config.token(role) ?? names[role] ?? "";
      const id = idOf(token);
      if (id === undefined) throw new CheckpointError(`SentencePiece model: the ${role} token "${token}" has no id`);
      return id;
    });
  return {
    prefix: idsOf(asked("add_bos_token", "bos", prefix)),
    suffix: idsOf(asked("add_eos_token", "eos", suffix)),
  };
}
