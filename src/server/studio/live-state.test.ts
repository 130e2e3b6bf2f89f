/** @file What all pages share: work is shown in its place, and changes come in their order. */

import { expect, it } from "vitest";
import { LiveState } from "./live-state.js";
import type { StudioEvent } from "./wire/index.js";

it("leaves work in its place when it is updated, and takes it away at its end", () => {
  const live = new LiveState("docs");
  const shown = (): string[] => live.current.work.map(({ label, share }) => `${label} ${share}`);
  live.showWork({ id: "a", label: "one", share: 0 });
  live.showWork({ id: "b", label: "two", share: 0 });
  live.showWork({ id: "a", label: "one", share: 0.5 });
  expect(shown()).toEqual(["one 0.5", "two 0"]);
  live.endWork("a");
  expect(shown()).toEqual(["two 0"]);
});

it("tells of the whole state, then of each change, until nobody listens", async () => {
  const live = new LiveState("docs");
  const closing = new AbortController();
  const heard: StudioEvent["event"][] = [];
  for await (const { event } of live.events(closing.signal)) {
    heard.push(event);
    if (heard.length === 1) live.endWork("nothing");
    else closing.abort();
  }
  expect(heard).toEqual(["state", "change"]);
});
