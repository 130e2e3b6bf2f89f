/** @file Reads and writes tokenizer.json, the file format of Hugging Face's tokenizers library. */

import { CheckpointError, messageOf, UnsupportedError } from "../base/errors.js";
import { bytesOf } from "./algorithms/byte-alphabet.js";
import { decoderEntries, readDecoder } from "./decoders/index.js";
import { bytewise, type Decoding, stepwise } from "./decoding.js";
import { addedToken, fileSchema, type ModelFormat, type TokenizerFile } from "./formats/format.js";
import { tokenizerModels } from "./formats/index.js";
import { aroundOne, readTemplates } from "./formats/post-processor.js";
import { parseEntry } from "./json-entry.js";
import { readNormalizer } from "./normalizers/index.js";
import { PipelineTokenizer } from "./pipeline.js";
import { flattened } from "./pretokenizers/steps.js";
import { sentencePieceToJson } from "./sentencepiece/to-json.js";
import { SentencePieceTokenizer } from "./sentencepiece/tokenizer.js";
import type { Tokenizer } from "./tokenizer.js";

/** A tokenizer that can be written to tokenizer.json again. */
export class JsonTokenizer extends PipelineTokenizer {
  readonly format: ModelFormat;
  /** The file's settings but the model, as they were read. */
  readonly settings: Omit<TokenizerFile, "model">;

  constructor(file: TokenizerFile) {
    const format = modelFormat(file.model.type);
    const addedTokens = file.added_tokens.map(addedToken);
    const hidden = new Set(addedTokens.filter(({ isSpecial }) => isSpecial).map(({ id }) => id));
    const templates = readTemplates(file.post_processor);
    super({
      ...format.read({ entry: file.model, pretokenizers: flattened(file.pre_tokenizer), hidden }),
      addedTokens,
      decoding: readDecoding(file.decoder),
      normalizer: readNormalizer(file.normalizer),
      template: aroundOne(templates),
      pairTemplate: templates.pair,
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
 * The tokenizer.json of a tokenizer that was trained or read from a file, with the same ids.
 * @throws UnsupportedError when it cannot say what the tokenizer does.
 */
export function toTokenizerJson(tokenizer: Tokenizer): string {
  if (tokenizer instanceof SentencePieceTokenizer) {
    return JSON.stringify(sentencePieceToJson(tokenizer.source, tokenizer.template), undefined, 2);
  }
  if (!(tokenizer instanceof JsonTokenizer)) {
    throw new UnsupportedError("toTokenizerJson: only tokenizers that were read from a file or trained can be written");
  }
  return JSON.stringify({ ...tokenizer.settings, model: tokenizer.format.write(tokenizer.model) }, undefined, 2);
}

function modelFormat(type: string): ModelFormat {
  const format = Object.values(tokenizerModels).find(({ name }) => name === type);
  if (format !== undefined) return format;
  const known = Object.keys(tokenizerModels).join(", ");
  throw new UnsupportedError(`tokenizer.json: model type ${type} is not supported; known are ${known}`);
}

/** Bytes are put together all at once; other decoders work token by token. */
function readDecoding(entry: TokenizerFile["decoder"]): Decoding {
  const isBytes = entry && decoderEntries(entry).every(({ type }) => type === "ByteLevel");
  return isBytes ? bytewise({ bytesOf }) : stepwise(readDecoder(entry));
}
