/** @file How well chunks are found: labelled questions, scores, and the search for the best way to cut. */
export { type MadeQuestionsOptions, makeQuestions, readQuestions } from "./questions.js";
export {
  type LabelledQuestion,
  type PlacedChunk,
  type RetrievalScores,
  type ScoreOptions,
  type Search,
  scoreRetrieval,
} from "./score-retrieval.js";
export {
  type ChunkSearchOptions,
  type ChunkTrial,
  type ChunkTrialResult,
  type EvaluationOptions,
  evaluateChunking,
  searchChunking,
} from "./search-chunking.js";
export { termSearch, vectorSearch } from "./searches.js";
export { embeddingTrials, usualTrials } from "./usual-trials.js";
