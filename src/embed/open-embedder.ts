/** @file One word to an embedder: `builtin`, a folder, or an address. */

import { ConfigError } from "../base/errors.js";
import type { Embedder } from "./embedder.js";
import { type EncoderOptions, encoderFolder } from "./encoder.js";
import { type HttpOptions, http } from "./http.js";
import { staticModuleOf } from "./static/static-folder.js";
import { builtin, staticFolder } from "./static.js";

/** For whichever it turns out to be. */
export type OpenEmbedderOptions = EncoderOptions & HttpOptions;

/** The options that each kind takes; what a kind does not take is refused. */
const taken = {
  builtin: [],
  static: [],
  encoder: ["prompts", "maxTokens", "onCut", "batchTokens", "runtime", "numThreads"],
  http: [
    "model",
    "dimension",
    "apiKeyVariable",
    "prompts",
    "batchTexts",
    "batchChars",
    "timeoutMs",
    "retries",
    "retryMs",
    "fetch",
  ],
} as const satisfies Record<string, readonly (keyof OpenEmbedderOptions)[]>;

/**
 * Opens `builtin`, what an http(s) address serves, or the model of a folder: a static one or an encoder, as modules.json says.
 * @throws ConfigError for an option that this embedder has no use for, besides what its own `open` throws.
 */
export async function openEmbedder(source: string, options: OpenEmbedderOptions = {}): Promise<Embedder> {
  const kind = await kindOf(source);
  const foreign = Object.keys(options).find((key) => !(taken[kind] as readonly string[]).includes(key));
  if (foreign !== undefined) {
    const known = taken[kind].length > 0 ? taken[kind].join(", ") : "none";
    throw new ConfigError(`embedder ${source} (${kind}) has no option ${foreign}; its options: ${known}`);
  }
  switch (kind) {
    case "builtin":
      return builtin.open(source);
    case "static":
      return staticFolder.open(source);
    case "encoder":
      return encoderFolder.open(source, options);
    case "http":
      return http.open(source, options);
    default:
      return kind satisfies never;
  }
}

async function kindOf(source: string): Promise<keyof typeof taken> {
  if (source === "builtin") return "builtin";
  if (/^https?:/.test(source)) return "http";
  return (await staticModuleOf(source)) === undefined ? "encoder" : "static";
}
