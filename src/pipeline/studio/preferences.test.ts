/** @file Preferences: kept before they count, read by preference tuning, safe from a kill and from damage. */

import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckpointError } from "../../base/errors.js";
import { Refusal } from "../../server/refusal.js";
import { LiveState } from "../../server/studio/live-state.js";
import type { Verdict } from "../../server/studio/wire/index.js";
import { Preferences } from "./preferences.js";

let root: string;
let path: string;
let live: LiveState;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-preferences-"));
  path = join(root, "preferences.jsonl");
  live = new LiveState("docs");
  live.change({
    writers: [
      { id: "base", label: "the base", kind: "base" },
      { id: "tuned", label: "tuned on docs", kind: "tuned" },
    ],
  });
});
afterEach(() => rm(root, { recursive: true }));

const judged = (verdict: Verdict, texts: readonly [string, string] = ["one\nline", "“另一”"]) => ({
  prompt: "Say it",
  left: { writer: "base", text: texts[0] },
  right: { writer: "tuned", text: texts[1] },
  verdict,
});
const lines = async () =>
  (await readFile(path, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as object);

describe("preferences", () => {
  it("are kept with their models, and given as pairs of prompt, chosen and rejected", async () => {
    const preferences = await Preferences.open(path, live);
    const verdicts: Verdict[] = ["left", "right", "tie", "bad"];
    await Promise.all(verdicts.map((verdict) => preferences.add(judged(verdict))));
    expect(live.current.preferences).toEqual({ numPairs: 2, numUndecided: 2 });
    const [left, right, tie, bad] = await lines();
    expect(left).toEqual({
      verdict: "better",
      prompt: "Say it",
      chosen: "one\nline",
      rejected: "“另一”",
      models: { chosen: "the base", rejected: "tuned on docs" },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(right).toMatchObject({ chosen: "“另一”", models: { chosen: "tuned on docs", rejected: "the base" } });
    expect(tie).toMatchObject({
      verdict: "tie",
      texts: ["one\nline", "“另一”"],
      models: ["the base", "tuned on docs"],
    });
    expect(bad).toMatchObject({ verdict: "bad" });
    expect((await preferences.pairs()).split("\n").map((line) => line && JSON.parse(line))).toEqual([
      { prompt: "Say it", chosen: "one\nline", rejected: "“另一”" },
      { prompt: "Say it", chosen: "“另一”", rejected: "one\nline" },
      "",
    ]);
  });

  it("are counted from the file, and go on behind what a kill left unfinished", async () => {
    await (await Preferences.open(path, live)).add(judged("left"));
    await appendFile(path, '{"verdict":"better","prom');
    const again = await Preferences.open(path, live);
    expect(live.current.preferences).toEqual({ numPairs: 1, numUndecided: 0 });
    await again.add(judged("right"));
    expect(await lines()).toHaveLength(2);
  });

  it("are refused where they say nothing, or name a model that is not there", async () => {
    const preferences = await Preferences.open(path, live);
    expect(() => preferences.add(judged("left", ["same", "same"]))).toThrow(Refusal);
    await preferences.add(judged("tie", ["same", "same"]));
    expect(() => preferences.add({ ...judged("left"), left: { writer: "gone", text: "" } })).toThrow("left.writer");
    expect(live.current.preferences).toEqual({ numPairs: 0, numUndecided: 1 });
  });

  it("say which line is damaged, and what cannot be written is not counted", async () => {
    await writeFile(path, `${JSON.stringify({ verdict: "better" })}\n`);
    await expect(Preferences.open(path, live)).rejects.toThrow(/preferences\.jsonl, line 1 is no judgement/);
    await rm(path);
    const preferences = await Preferences.open(join(root, "no", "folder.jsonl"), live);
    await expect(preferences.add(judged("left"))).rejects.toThrow(CheckpointError);
    expect(live.current.preferences).toEqual({ numPairs: 0, numUndecided: 0 });
  });
});
