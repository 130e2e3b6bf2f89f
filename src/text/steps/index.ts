/** @file The steps of a normalisation by name. */

import type { TextStep } from "../step.js";
import { accents } from "./accents.js";
import { contractions } from "./contractions.js";
import { lemmatize } from "./lemmatize.js";
import { lowercase } from "./lowercase.js";
import { punctuation } from "./punctuation.js";
import { stem } from "./stem.js";
import { unicodeForm } from "./unicode-form.js";
import { whiteSpace } from "./white-space.js";

/** Makers of steps by the step's name. Adding one is its file and a line here; `steps.test.ts` then tests it. */
export const textSteps = {
  accents,
  contractions,
  lemmatize,
  lowercase,
  punctuation,
  stem,
  whiteSpace,
  NFC: () => unicodeForm("NFC"),
  NFD: () => unicodeForm("NFD"),
  NFKC: () => unicodeForm("NFKC"),
  NFKD: () => unicodeForm("NFKD"),
} as const satisfies Record<string, () => TextStep>;
