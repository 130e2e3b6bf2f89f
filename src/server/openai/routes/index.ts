/** @file The registry of routes of the OpenAI-compatible server. */

import { loadAdapter, unloadAdapter } from "./adapters.js";
import { chatCompletions } from "./chat-completions.js";
import { completions } from "./completions.js";
import { embeddings } from "./embeddings.js";
import { health } from "./health.js";
import { metricsRoute } from "./metrics.js";
import { model, models } from "./models.js";
import { openapi } from "./openapi.js";
import type { RouteDef } from "./route.js";

/** Routes by name. Adding one is its file and a line here. */
export const routes: Readonly<Record<string, RouteDef>> = {
  chatCompletions,
  completions,
  embeddings,
  models,
  model,
  loadAdapter,
  unloadAdapter,
  health,
  metricsRoute,
  openapi,
};
