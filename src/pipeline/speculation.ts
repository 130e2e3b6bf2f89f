/** @file Speculation as a served model is asked for it: n-gram lookup, or another loaded model as the draft. */

import { ConfigError } from "../base/errors.js";
import {
  bild,
  draftModel,
  ngramLookup,
  type Speculation,
  type SpeculationName,
  type WeightFormat,
  Weights,
} from "../engine/index.js";
import type { LoadedModel } from "../presets/index.js";
import type { Tokenizer } from "../tokenizers/index.js";

export interface SpeculationChoice {
  readonly way: SpeculationName;
  /** The draft model, which `draft` and `bild` need. */
  readonly draft?: LoadedModel;
  /** Most tokens to propose. Default: that of the way. */
  readonly tokens?: number;
}

/** @throws ConfigError when the way lacks its draft, has one that it does not use, or one with another vocabulary. */
export function speculationOf(
  { way, draft, tokens }: SpeculationChoice,
  target: Pick<LoadedModel, "tokenizer">,
  format: WeightFormat,
): Speculation {
  const own = tokens === undefined ? {} : { tokens };
  if (way === "ngram") {
    if (draft) throw new ConfigError("speculation: n-gram lookup uses no draft model; give one or the other");
    return ngramLookup(own);
  }
  if (!draft) throw new ConfigError(`speculation: ${way} needs a draft model with the target's tokenizer; give one`);
  checkVocabulary(draft.tokenizer, target.tokenizer);
  const options = { model: draft.model, weights: new Weights(draft.model, draft.parameters, format), ...own };
  return way === "bild" ? bild(options) : draftModel(options);
}

/** Ids must mean the same to both. */
function checkVocabulary(draft: Tokenizer, target: Tokenizer): void {
  const size = Math.max(draft.vocabSize, target.vocabSize);
  for (let id = 0; id < size; id++) {
    const [own, expected] = [draft.token(id), target.token(id)];
    if (own === expected) continue;
    throw new ConfigError(
      `draft model: its token ${id} is ${JSON.stringify(own)}, that of the model which it is to speed up is ${JSON.stringify(expected)}; take a draft with the same tokenizer`,
    );
  }
}
