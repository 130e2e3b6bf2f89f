/** @file Ways to guess what a model writes next, by name. */
import { bild } from "./bild.js";
import { draftModel } from "./draft-model.js";
import { ngramLookup } from "./ngram-lookup.js";

export const speculations = { bild, draft: draftModel, ngram: ngramLookup } as const;

export type SpeculationName = keyof typeof speculations;
export { type BildOptions, bild } from "./bild.js";
export { type DraftModelOptions, draftModel } from "./draft-model.js";
export { type NgramLookupOptions, ngramLookup } from "./ngram-lookup.js";
export type { ProposalRequest, Proposer, Speculation, SpeculationTarget } from "./proposer.js";
