/** @file The registry of routes. */
<<<<<<< HEAD

import { ask } from "./ask.js";

=======

import { cut } from "./cut.js";
import { document } from "./document.js";
import { documents } from "./documents.js";

>>>>>>> 9d517827f834d5783ee91871542daccdebb06775

import { events } from "./events.js";
import { health } from "./health.js";
import { index } from "./index-anew.js";
import { job } from "./job.js";
import { page, pageAssets } from "./page.js";
import { signIn } from "./sign-in.js";
import { state } from "./state.js";

/** Routes by name. Adding one is its file and a line here. */
<<<<<<< HEAD
export const routes = { page, pageAssets, health, signIn, state, events, job, ask } as const;
=======
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
} as const;
>>>>>>> 9d517827f834d5783ee91871542daccdebb06775
