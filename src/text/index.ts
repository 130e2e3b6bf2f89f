/** @file Text before it is tokens: normalisation in steps with the way back, sentences and words. */

export { lemmaOf, type PartOfSpeech } from "./english/lemma.js";
export { porter2 } from "./english/porter2.js";
export { type NormalizedText, normalize } from "./normalize.js";
export { type SentenceOptions, sentences } from "./sentences.js";
export type { Span } from "./span.js";
export type { Edit, TextStep } from "./step.js";
export { type AccentsOptions, accents } from "./steps/accents.js";
export { contractions } from "./steps/contractions.js";
export { textSteps } from "./steps/index.js";
export { type LemmatizeOptions, lemmatize } from "./steps/lemmatize.js";
export { lowercase } from "./steps/lowercase.js";
export { type PunctuationOptions, punctuation } from "./steps/punctuation.js";
export { stem } from "./steps/stem.js";
export { unicodeForm } from "./steps/unicode-form.js";
export { type WhiteSpaceOptions, whiteSpace } from "./steps/white-space.js";
export type { UnicodeForm } from "./stretches.js";
export { type WordOptions, words } from "./words.js";
