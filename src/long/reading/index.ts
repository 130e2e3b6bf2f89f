/** @file Ways to answer from a document that is longer than the model's context. */

import { mapReduce } from "./map-reduce.js";
import { refine } from "./refine.js";
import { select } from "./select.js";
import { vote } from "./vote.js";

/** By name. Adding one is its file and a line here. */
export const readingStrategies = { "map-reduce": mapReduce, refine, select, vote } as const;

export type ReadingStrategyName = keyof typeof readingStrategies;
export { ReadingError, usualAnswerTokens } from "./calls.js";
export { type HttpModelOptions, httpModel } from "./http-model.js";
export {
  NO_ANSWER,
  type Part,
  type Reading,
  type ReadingModel,
  type ReadingRequest,
  type ReadingStrategy,
  type ResultStore,
  type Votes,
} from "./reading.js";
export type { Template } from "./template.js";
