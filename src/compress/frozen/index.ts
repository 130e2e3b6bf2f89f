/** @file The forms in which frozen weights are kept, by name. */

import { float16 } from "./float16.js";
import type { FrozenFormat } from "./format.js";
import { nf4 } from "./nf4.js";

export const frozenFormats = { nf4, float16 } as const satisfies Record<string, FrozenFormat>;

export type FrozenFormatName = keyof typeof frozenFormats;
