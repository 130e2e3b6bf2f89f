/** @file Texts to vectors: public names and the registry of embedders. */
import { encoderFolder } from "./encoder.js";
import { http } from "./http.js";
import { builtin, staticFolder } from "./static.js";

export {
  type CachedEmbedder,
  type CacheOptions,
  type CacheStatistics,
  cachedEmbedder,
} from "./cache/cached-embedder.js";
export type { Embedder, EmbedderDef, TextKind, TokenVectors } from "./embedder.js";
export type { EncoderOptions } from "./encoder.js";
export { EmbedderError, type HttpOptions } from "./http.js";
export { type OpenEmbedderOptions, openEmbedder } from "./open-embedder.js";
export {
  type LoadedStaticModel,
  readStaticModel,
  staticModuleOf,
  type WriteStaticOptions,
  writeStaticModel,
} from "./static/static-folder.js";
export { quantizeRows, StaticModel, type TokenTable } from "./static/static-model.js";
export { builtinFolder } from "./static.js";

/** Embedders by name. `openEmbedder` chooses among them. */
export const embedders = { builtin, static: staticFolder, encoder: encoderFolder, http } as const;
