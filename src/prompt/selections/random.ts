/** @file Any candidates: what other ways are measured against. */

import { allowed, type Selection } from "./selection.js";

export const random: Selection = {
  name: "random",
  select: (request) => request.rng.shuffle(allowed(request)).slice(0, request.count),
};
