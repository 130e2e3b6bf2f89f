/** @file Programming languages by name. A line here makes one known to the code chunker. */
import { javascript, tsx, typescript } from "./javascript.js";
import { python } from "./python.js";

export type { Language } from "./language.js";

export const languages = { typescript, tsx, javascript, python } as const;
