/** @file Writers: opened when they are asked, two at most, replaced without breaking off what is written. */

import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { savedModel } from "../../../test/support/saved-model.js";
import { randomModel } from "../../../test/support/served-model.js";
import { CheckpointError } from "../../base/errors.js";
import { LiveState } from "../../server/studio/live-state.js";
import { openTextHere } from "../text-process/open-here.js";
import type { OpenTextService } from "../text-service.js";
import { Writers } from "./writers.js";

const never = new AbortController().signal;
const loaded = randomModel();
let folder: string;
/** Ids of writers whose processes died too often. */
const lost = new Set<string>();
const closed = new Set<OpenTextService>();
let live: LiveState;
let writers: Writers;

beforeAll(async () => {
  folder = await savedModel(loaded);
  live = new LiveState("docs");
  writers = new Writers(live, async ({ id, model: path }) => {
    const here = await openTextHere({ path, id, numThreads: 1 });
    const close = async (): Promise<void> => {
      closed.add(service);
      await here[Symbol.asyncDispose]();
    };
    const service: OpenTextService = {
      ...here,
      engineState: () => ({ status: lost.has(id) ? "failed" : "ok", restarts: 0 }),
      [Symbol.asyncDispose]: close,
    };
    return { service, tokenizer: loaded.tokenizer, contextLength: 512 };
  });
  for (const id of ["a", "b", "c"]) writers.add({ id, label: `model ${id}`, kind: "tuned", model: folder });
});
afterAll(async () => {
  await writers[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const shown = (id: string) => live.current.writers.find((writer) => writer.id === id);

it("opens a writer when it is asked, once, and says so", async () => {
  expect(live.current.writers).toEqual(["a", "b", "c"].map((id) => ({ id, label: `model ${id}`, kind: "tuned" })));
  const [one, two] = [writers.open("a", never), writers.open("a", never)];
  expect(live.current.work).toEqual([{ id: "writer a", label: "Opening model a" }]);
  using first = await one;
  using second = await two;
  expect(first.service).toBe(second.service);
  expect(shown("a")).toMatchObject({ contextLength: 512, hasChat: true });
  expect(live.current.work).toEqual([]);
});

it("closes the least recently used for a third, and waits while both write", async () => {
  const a = await writers.open("a", never);
  const b = await writers.open("b", never);
  const third = writers.open("c", never);
  let isOpen = false;
  void third.then(() => (isOpen = true));
  const gone = new AbortController();
  const fourth = writers.open("c", gone.signal);
  gone.abort();
  await expect(fourth).rejects.toThrow("abort");
  expect(await a.service.countTokens({ kind: "plain", text: "Hello" })).toBeGreaterThan(0);
  expect(isOpen).toBe(false);
  a[Symbol.dispose]();
  using c = await third;
  expect(c.id).toBe("c");
  expect(closed).toEqual(new Set([a.service]));
  expect(await b.service.countTokens({ kind: "plain", text: "Hello" })).toBeGreaterThan(0);
  b[Symbol.dispose]();
});

it("replaces one that is writing when its text is written", async () => {
  const old = await writers.open("b", never);
  writers.add({ id: "b", label: "model b, anew", kind: "tuned", model: folder });
  expect(live.current.writers.map(({ label }) => label)).toEqual(["model a", "model b, anew", "model c"]);
  using now = await writers.open("b", never);
  expect(now.service).not.toBe(old.service);
  expect(await old.service.countTokens({ kind: "plain", text: "Hello" })).toBeGreaterThan(0);
  expect(closed).not.toContain(old.service);
  old[Symbol.dispose]();
  old[Symbol.dispose]();
  await expect.poll(() => closed.has(old.service)).toBe(true);
  expect(await now.service.countTokens({ kind: "plain", text: "Hello" })).toBeGreaterThan(0);
});

it("opens one anew whose process died too often", async () => {
  lost.add("b");
  const dead = await writers.open("b", never);
  dead[Symbol.dispose]();
  lost.delete("b");
  using b = await writers.open("b", never);
  expect(b.service).not.toBe(dead.service);
  await expect.poll(() => closed.has(dead.service)).toBe(true);
});

it("says which there are, and tries again one that could not be opened", async () => {
  await expect(writers.open("d", never)).rejects.toThrow('there is no model "d" here; there is a, b, c');
  writers.add({ id: "d", label: "gone", kind: "base", model: "/nowhere/at/all" });
  await expect(writers.open("d", never)).rejects.toThrow(CheckpointError);
  expect(live.current.work).toEqual([]);
  writers.add({ id: "d", label: "there", kind: "base", model: folder });
  using there = await writers.open("d", never);
  expect(there.contextLength).toBe(512);
});
