/** @file Tokens that never come. */

import { ConfigError } from "../../../base/errors.js";
import { checkId, type LogitsProcessor } from "./processor.js";

export const bannedIds: LogitsProcessor = {
  name: "bannedIds",
  open({ bannedIds: banned }, { vocabSize }) {
    if (banned === undefined || banned.size === 0) return undefined;
    for (const id of banned) checkId("bannedIds", id, vocabSize);
    if (banned.size >= vocabSize) throw new ConfigError(`bannedIds holds all ${vocabSize} ids; leave one to choose`);
    return (logits) => {
      for (const id of banned) logits[id] = Number.NEGATIVE_INFINITY;
    };
  },
};
