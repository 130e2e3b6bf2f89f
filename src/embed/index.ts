/** @file Texts to vectors: public names and the registry of embedders. */

export type { Embedder, TextKind, TokenVectors } from "./embedder.js";
