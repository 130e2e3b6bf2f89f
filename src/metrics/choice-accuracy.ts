/** @file Share of answers that are right where the model must give one of the data's answers. */

import { isSame, type Metric, meanOver } from "./metric.js";

export const choiceAccuracy: Metric = {
  name: "choice-accuracy",
  writing: "choices",
  score: (pairs) => ({ "choice-accuracy": meanOver(pairs, isSame) }),
};
