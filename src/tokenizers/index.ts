/** @file Text to token ids and back: reading, training and writing tokenizers. */

export type { AddedToken } from "./added-tokens.js";
export { ByteLevelBpe } from "./algorithms/byte-level-bpe.js";
export type { BpeTrainingProgress } from "./algorithms/byte-level-bpe-trainer.js";
export { CharacterBpe } from "./algorithms/character-bpe.js";
export { Unigram } from "./algorithms/unigram.js";
export { WordLevel } from "./algorithms/word-level.js";
export { WordPiece } from "./algorithms/wordpiece.js";
export * from "./chat/index.js";
export { decoderTypes } from "./decoders/index.js";
export { tokenizerModels } from "./formats/index.js";
export { ggufPretokenizers } from "./gguf/pretokenizers.js";
export { ggufTokenizers, tokenizerFromGguf } from "./gguf/tokenizer.js";
export { ggufMetadataOf, type TokenRoles } from "./gguf/write.js";
export { tokenizerFromLlama2c } from "./llama2c.js";
export { tokenizerFiles, tokenizerFromFiles } from "./model-files/index.js";
export { normalizerTypes } from "./normalizers/index.js";
export { type PipelineParts, PipelineTokenizer } from "./pipeline.js";
export { pretokenizerTypes } from "./pretokenizers/index.js";
export { type SentencePieceOptions, tokenizerFromSentencePiece } from "./sentencepiece/tokenizer.js";
export { encodePair, encodeSingle, type PairOptions, type TemplatedEncoding } from "./templates.js";
export type {
  DecodeOptions,
  EncodeOptions,
  Encoding,
  SequenceTemplate,
  StreamDecoder,
  StreamEncoder,
  TemplatePiece,
  Tokenizer,
} from "./tokenizer.js";
export { JsonTokenizer, tokenizerFromJson, toTokenizerJson } from "./tokenizer-json.js";
export { type ByteLevelBpeTrainingOptions, bpePretokenizers, trainByteLevelBpe } from "./train.js";
export * from "./trainers/index.js";
