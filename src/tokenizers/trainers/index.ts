/** @file Trainers by kind. Each gives the contents of a tokenizer.json. */

export { type CharacterLevelTrainingOptions, trainCharacterLevel } from "./character-level.js";
export { trainingNormalizers, trainingPretokenizers } from "./cutting.js";
export {
  type MetaspaceTrainingOptions,
  trainCharacterBpe,
  trainUnigram,
  type UnigramTrainingOptions,
} from "./metaspace.js";
export { type SentencePieceTrainingOptions, trainSentencePiece } from "./sentencepiece.js";
export { sentencePieceModel } from "./sentencepiece-model.js";
export { type SubwordSampler, type SubwordSampling, subwordSampler } from "./subword-sampler.js";
export type { TrainingOptions, TrainingProgress, TrainingTexts } from "./training.js";
export { countUnknownWords, trainWordLevel, type WordCoverage, type WordLevelTrainingOptions } from "./word-level.js";
export { trainWordPiece, type WordPieceTrainingOptions } from "./wordpiece.js";
