/** @file The kinds of model that tokenizer.json can hold, by `model.type`. */

import { byteLevelBpeFormat } from "./byte-level-bpe.js";
import type { ModelFormat } from "./format.js";

export const tokenizerModels = { BPE: byteLevelBpeFormat } as const satisfies Record<string, ModelFormat>;
