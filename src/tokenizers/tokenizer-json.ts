/** @file Reads and writes tokenizer.json, the file format of Hugging Face's tokenizers library. */

import { z } from "zod";
import { CheckpointError, messageOf, UnsupportedError } from "../base/errors.js";
import type { AddedToken } from "./added-tokens.js";
import { fileSchema, type ModelFormat, type TokenizerFile } from "./formats/format.js";
import { tokenizerModels } from "./formats/index.js";
import { readTemplate } from "./formats/post-processor.js";
import { parseEntry, typedSchema } from "./json-entry.js";
import { Normalizer, type UnicodeForm, unicodeForms } from "./normalizer.js";
import { PipelineTokenizer } from "./pipeline.js";
import type { Tokenizer } from "./tokenizer.js";

/** A tokenizer that can be written to tokenizer.json again. */
export class JsonTokenizer extends PipelineTokenizer {
  readonly format: ModelFormat;
  /** The file's settings but the model, as they were read. */
  readonly settings: Omit<TokenizerFile, "model">;

  constructor(file: TokenizerFile) {
    const format = modelFormat(file.model.type);
    super({
      ...format.read(file),
      addedTokens: file.added_tokens.map(addedToken),
      normalizer: readNormalizer(file.normalizer),
      template: readTemplate(file.post_processor),
    });
    this.format = format;
    const { model: _, ...settings } = file;
    this.settings = settings;
    for (const { content, id } of this.addedTokens) {
      const known = this.model.tokenId(content);
      if (known !== undefined && known !== id) {
        throw new CheckpointError(`tokenizer.json: added token ${content} has id ${id}, but the model says ${known}`);
      }
    }
  }
}

/**
 * The tokenizer that a tokenizer.json describes, with the ids that Hugging Face's library gives. Settings for
 * truncation and padding are kept but not applied: `encode` gives all of a text and nothing else. Added tokens that
 * the file does not call special are found in every text, as the library does.
 * @throws CheckpointError when the text is not such a file or contradicts itself.
 * @throws UnsupportedError naming what is not supported.
 */
export function tokenizerFromJson(text: string): JsonTokenizer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(`tokenizer.json: not JSON: ${messageOf(error)}`, { cause: error });
  }
  return new JsonTokenizer(parseEntry(fileSchema, json, "file"));
}

/**
 * The tokenizer.json of a tokenizer that was read from one or trained.
 * @throws UnsupportedError when the tokenizer came from another format.
 */
export function toTokenizerJson(tokenizer: Tokenizer): string {
  if (!(tokenizer instanceof JsonTokenizer)) {
    throw new UnsupportedError("toTokenizerJson: only tokenizers read from tokenizer.json or trained can be written");
  }
  return JSON.stringify({ ...tokenizer.settings, model: tokenizer.format.write(tokenizer.model) }, undefined, 2);
}

function modelFormat(type: string): ModelFormat {
  const format = Object.values(tokenizerModels).find(({ name }) => name === type);
  if (format !== undefined) return format;
  const known = Object.keys(tokenizerModels).join(", ");
  throw new UnsupportedError(`tokenizer.json: model type ${type} is not supported; known are ${known}`);
}

function addedToken(entry: TokenizerFile["added_tokens"][number]): AddedToken {
  return {
    id: entry.id,
    content: entry.content,
    isSpecial: entry.special,
    isNormalized: entry.normalized,
    isSingleWord: entry.single_word,
    stripsLeft: entry.lstrip,
    stripsRight: entry.rstrip,
  };
}

const normalizerSequenceSchema = z.strictObject({ type: z.literal("Sequence"), normalizers: z.array(typedSchema) });

function readNormalizer(entry: TokenizerFile["normalizer"]): Normalizer | undefined {
  const forms = entry ? normalizerForms(entry) : [];
  return forms.length === 0 ? undefined : new Normalizer(forms);
}

function normalizerForms(entry: z.infer<typeof typedSchema>): UnicodeForm[] {
  if (entry.type === "Sequence") {
    return parseEntry(normalizerSequenceSchema, entry, "normalizer").normalizers.flatMap(normalizerForms);
  }
  const form = unicodeForms.find((name) => name === entry.type);
  if (form === undefined) {
    throw new UnsupportedError(`tokenizer.json: normalizer ${entry.type} is not supported; known are ${unicodeForms}`);
  }
  return [form];
}
