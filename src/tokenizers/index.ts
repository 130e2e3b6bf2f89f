/** @file Text to token ids and back: reading, training and writing tokenizers. */

export type { AddedToken } from "./added-tokens.js";
export { ByteLevelBpe } from "./algorithms/byte-level-bpe.js";
export type { BpeTrainingProgress } from "./algorithms/byte-level-bpe-trainer.js";
export { tokenizerModels } from "./formats/index.js";
export { tokenizerFromLlama2c } from "./llama2c.js";
export { type PipelineParts, PipelineTokenizer } from "./pipeline.js";
export { pretokenizerTypes } from "./pretokenizers/index.js";
export type {
  DecodeOptions,
  EncodeOptions,
  Encoding,
  SequenceTemplate,
  StreamDecoder,
  Tokenizer,
} from "./tokenizer.js";
export { JsonTokenizer, tokenizerFromJson, toTokenizerJson } from "./tokenizer-json.js";
export { type ByteLevelBpeTrainingOptions, bpePretokenizers, trainByteLevelBpe } from "./train.js";
