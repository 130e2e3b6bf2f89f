/** @file The registry of views. */

import type { ComponentType } from "preact";

interface ViewDef {
  readonly label: string;
  /** Fetches the view's code. */
  load(): Promise<ComponentType>;
}

/** Views by the name in their address, in the order of the navigation. Adding one is its folder and a line here. */
export const views: Readonly<Record<string, ViewDef>> = {
  documents: {
    label: "Documents",
    load: () => import("./documents/documents-view.js").then(({ DocumentsView }) => DocumentsView),
  },
  plan: { label: "Plan", load: () => import("./plan/plan-view.js").then(({ PlanView }) => PlanView) },
  runs: { label: "Runs", load: () => import("./runs/runs-view.js").then(({ RunsView }) => RunsView) },
  ask: { label: "Ask", load: () => import("./ask/ask-view.js").then(({ AskView }) => AskView) },
  models: { label: "Models", load: () => import("./models/models-view.js").then(({ ModelsView }) => ModelsView) },
};

export type ViewName = keyof typeof views;
