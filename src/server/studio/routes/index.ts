/** @file The registry of routes. */
import { ask } from "./ask.js";
import { attention } from "./attention.js";
import { choices } from "./choices.js";
import { cut } from "./cut.js";
import { document } from "./document.js";
import { documents } from "./documents.js";
import { events } from "./events.js";
import { health } from "./health.js";
import { index } from "./index-anew.js";
import { job } from "./job.js";
import { model } from "./model.js";
import { page, pageAssets } from "./page.js";
import { plan, planChanges } from "./plan.js";
import { prefer, preferences } from "./preferences.js";
import { runAction } from "./run-action.js";
import { runDetail } from "./run-detail.js";
import { runExports } from "./run-exports.js";
import { runFile } from "./run-file.js";
import { runPoints } from "./run-points.js";
import { signIn } from "./sign-in.js";
import { startRun } from "./start-run.js";
import { state } from "./state.js";
import { uploads } from "./uploads.js";
import { weights } from "./weights.js";
import { write } from "./write.js";

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
  model,
  weights,
  attention,
  ask,
  write,
  prefer,
  preferences,
  choices,
  plan,
  planChanges,
  startRun,
  runAction,
  runDetail,
  runPoints,
  runExports,
  runFile,
  uploads,
} as const;
