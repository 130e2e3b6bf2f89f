/** @file Ways to bring a document under a budget of tokens, and the choice between them. */

import { compress } from "./compress.js";
import { retrieve } from "./retrieve.js";
import { whole } from "./whole.js";

/** By name. Adding one is its file and a line here. */
export const contextStrategies = { whole, retrieve, compress } as const;

export type ContextStrategyName = keyof typeof contextStrategies;
export { type ChosenContext, chooseContext } from "./choose.js";
export type { ContextRequest, ContextStrategy, Embed, KeptSpan, Packing } from "./context.js";
