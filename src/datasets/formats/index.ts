/** @file The data formats. A line here makes one known; the first that recognises a row is taken. */

import { alpaca } from "./alpaca.js";
import { llamafactory } from "./llamafactory.js";
import { messages } from "./messages.js";
import { oasst } from "./oasst.js";
import { dpo, kto } from "./preference.js";
import { promptCompletion } from "./prompt-completion.js";
import { sharegpt } from "./sharegpt.js";
import { text } from "./text.js";

export const dataFormats = {
  alpaca,
  sharegpt,
  llamafactory,
  messages,
  oasst,
  "prompt-completion": promptCompletion,
  text,
} as const;

export type DataFormatName = keyof typeof dataFormats;

/** Data that are known, and refused. */
export const refusedFormats = { dpo, kto } as const;
