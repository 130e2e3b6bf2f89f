/** @file The state that all open pages share, as the server tells it. */

import { computed, signal } from "@preact/signals";
import type { RunPoint, StudioEvent, StudioState } from "../../src/server/studio/wire/index.js";
import { get, ServerError } from "./api.js";

/** Undefined until the server has said it for the first time. */
export const state = signal<StudioState | undefined>(undefined);

/** `locked`: the server asks for its key. */
export const connection = signal<"opening" | "open" | "lost" | "locked">("opening");

export const job = computed(() => state.value?.job);
export const runs = computed(() => state.value?.runs ?? []);
export const work = computed(() => state.value?.work ?? []);
export const writers = computed(() => state.value?.writers ?? []);

type PointsListener = (run: string, points: readonly RunPoint[]) => void;
const pointsListeners = new Set<PointsListener>();

/** Hears points of runs as they come; returns what ends it. */
export function onPoints(listener: PointsListener): () => void {
  pointsListeners.add(listener);
  return () => pointsListeners.delete(listener);
}

let source: EventSource | undefined;

/** Follows the server; where it goes away, tries until it is there again. */
export function follow(): void {
  source?.close();
  source = new EventSource("/api/events");
  source.addEventListener("open", () => {
    connection.value = "open";
  });
  source.addEventListener("error", () => {
    const isOver = source?.readyState === EventSource.CLOSED;
    connection.value = "lost";
    // a browser gives up where the answer was no stream: the server asks for its key, or is another one
    if (isOver) void whyRefused();
  });
  hear("state", (data) => {
    state.value = data;
  });
  hear("change", (data) => {
    if (state.value) state.value = { ...state.value, ...data };
  });
  hear("points", ({ run, points }) => {
    for (const listener of pointsListeners) listener(run, points);
  });
}

function hear<Name extends StudioEvent["event"]>(
  name: Name,
  listener: (data: Extract<StudioEvent, { event: Name }>["data"]) => void,
): void {
  source?.addEventListener(name, (event) => listener(JSON.parse(event.data)));
}

async function whyRefused(): Promise<void> {
  try {
    await get("/api/state");
  } catch (thrown) {
    if (thrown instanceof ServerError && thrown.status === 401) {
      connection.value = "locked";
      return;
    }
  }
  setTimeout(follow, 2000);
}
