/** @file The registry of routes. */
import { about } from "./about.js";
import { complete } from "./complete.js";
import { document } from "./document.js";
import { health } from "./health.js";
import { page } from "./page.js";
import { pageScript } from "./page-script.js";
import { pageStyle } from "./page-style.js";
import { search } from "./search.js";

/** Routes by name. Adding one is its file and a line here. */
export const routes = { page, pageScript, pageStyle, health, about, search, complete, document } as const;
