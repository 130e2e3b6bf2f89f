/** @file The registry of routes. */
import { ask } from "./ask.js";
import { cut } from "./cut.js";
import { document } from "./document.js";
import { documents } from "./documents.js";
import { events } from "./events.js";
import { health } from "./health.js";
import { index } from "./index-anew.js";
import { job } from "./job.js";
import { page, pageAssets } from "./page.js";
import { signIn } from "./sign-in.js";
import { state } from "./state.js";

/** Routes by name. Adding one is its file and a line here. */
export const routes = {
  page,
  pageAssets,
  health,
  signIn,
  state,
  events,
  job,
  documents,
  document,
  cut,
  index,
  ask,
} as const;
