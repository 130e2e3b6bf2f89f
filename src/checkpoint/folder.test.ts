/** @file Tests of training checkpoints: round trip, damage, pruning, and killing the process at any moment. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckpointError, ConfigError } from "../base/errors.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import {
  bestCheckpoint,
  type CheckpointContents,
  listCheckpoints,
  loadCheckpoint,
  markBest,
  newestIntact,
  rollBack,
  saveCheckpoint,
} from "./folder.js";

let root: string;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), "tessera-folder-")), "run");
});
afterEach(() => rm(join(root, ".."), { recursive: true }));

const vector = (...values: number[]): HostTensor => hostTensor("float32", [values.length], Float32Array.from(values));

function contents(step: number): CheckpointContents {
  return {
    tensors: { model: [["w", vector(step, 1)]], optimizer: [["w.m", vector(step, 2)]] },
    state: { step, rng: [1, 2, 3, 4294967295], lr: 0.1 },
  };
}

const save = (step: number, keep = 10) => saveCheckpoint(root, step, contents(step), { keep });
const steps = async () => (await listCheckpoints(root)).map(({ step }) => step);

/** The step of the newest intact checkpoint, after checking that all of it belongs to that step. */
async function resume(): Promise<number> {
  const { checkpoint, skipped } = await newestIntact(root);
  expect(skipped).toEqual([]);
  if (checkpoint === undefined) return 0;
  await using open = checkpoint;
  const { step } = open;
  expect(open.state).toMatchObject({ step });
  for (const source of open.groups.values()) {
    for (const name of source.tensors.keys()) expect(Number((await source.read(name)).data[0])).toBe(step);
  }
  return step;
}

describe("saving and loading", () => {
  it("gives back tensors and state", async () => {
    const path = await save(123);
    expect(path).toBe(join(root, "step-00000123"));
    await using checkpoint = await loadCheckpoint(path);
    expect(checkpoint.step).toBe(123);
    expect(checkpoint.state).toEqual(contents(123).state);
    expect([...checkpoint.groups.keys()]).toEqual(["model", "optimizer"]);
    expect(await checkpoint.group("optimizer").read("w.m")).toEqual(vector(123, 2));
    expect(() => checkpoint.group("ema")).toThrow(/no group "ema"; it holds 2: "model", "optimizer"/);
  });

  it("gives the same bytes for the same contents", async () => {
    const first = await save(1);
    const second = await saveCheckpoint(`${root}-again`, 1, contents(1), { keep: 1 });
    for (const name of await readdir(first)) {
      expect(await readFile(join(second, name))).toEqual(await readFile(join(first, name)));
    }
  });

  it("can be copied and renamed", async () => {
    await cp(await save(5), join(root, "final"), { recursive: true });
    await using checkpoint = await loadCheckpoint(join(root, "final"));
    expect(checkpoint.step).toBe(5);
    expect(await steps()).toEqual([5]);
  });

  it("starts from nothing", async () => {
    expect(await listCheckpoints(root)).toEqual([]);
    expect(await newestIntact(root)).toEqual({ checkpoint: undefined, skipped: [] });
    expect(await bestCheckpoint(root)).toBeUndefined();
  });

  it("refuses steps, groups and states that cannot be, and leaves nothing of them", async () => {
    await save(7);
    await expect(save(7)).rejects.toThrow(/cannot save step 7: .* already holds step 7; resume .*roll back/);
    await expect(save(6)).rejects.toThrow(CheckpointError);
    await expect(save(1.5)).rejects.toThrow(ConfigError);
    await expect(save(8, 0)).rejects.toThrow(ConfigError);
    await expect(save(8, 1.5)).rejects.toThrow(ConfigError);
    const nan = { ...contents(8), state: { best: Number.POSITIVE_INFINITY } };
    await expect(saveCheckpoint(root, 8, nan, { keep: 1 })).rejects.toThrow(/state.json.state.best is Infinity/);
    const outside = { tensors: { "../x": [] }, state: null };
    await expect(saveCheckpoint(root, 8, outside, { keep: 1 })).rejects.toThrow(/a group is named with.*got "..\/x"/);
    expect(await readdir(root)).toEqual(["step-00000007"]);
  });
});

describe("pruning", () => {
  it("keeps the newest and the best", async () => {
    await save(1, 2);
    await save(2, 2);
    await markBest(root, 1);
    for (const step of [3, 4, 5]) await save(step, 2);
    expect(await steps()).toEqual([1, 4, 5]);
    expect((await bestCheckpoint(root))?.path).toBe(join(root, "step-00000001"));
    await markBest(root, 5);
    await save(6, 1);
    expect(await steps()).toEqual([5, 6]);
    await expect(markBest(root, 4)).rejects.toThrow(/cannot mark step 4 as best: .* holds 5, 6/);
  });

  it("keeps all on request", async () => {
    for (const step of [1, 2, 3]) await save(step, Number.POSITIVE_INFINITY);
    expect(await steps()).toEqual([1, 2, 3]);
  });

  it("removes nothing when the mark cannot be read", async () => {
    await save(1);
    await writeFile(join(root, "best.json"), "{");
    await expect(save(2, 1)).rejects.toThrow(/best.json: expected JSON/);
    expect(await steps()).toEqual([1, 2]);
  });

  it("rolls back", async () => {
    for (const step of [1, 2, 3]) await save(step);
    await markBest(root, 3);
    await rollBack(root, 1);
    expect(await readdir(root)).toEqual(["step-00000001"]);
    await save(2);
    expect(await resume()).toBe(2);
  });
});

describe("damage", () => {
  const flip = async (path: string, at: number) => {
    const bytes = await readFile(path);
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    await writeFile(path, bytes);
  };
  it.each<[string, (path: string) => Promise<void>, RegExp]>([
    [
      "a bit of a tensor",
      (path) => flip(join(path, "model.safetensors"), -1),
      /model.*damaged: expected sha256 \w+, found/,
    ],
    ["a file cut off", (path) => writeFile(join(path, "optimizer.safetensors"), "x"), /expected \d+ bytes, found 1/],
    ["a file removed", (path) => rm(join(path, "model.safetensors")), /model.safetensors: ENOENT/],
    ["a bit of the state", (path) => flip(join(path, "state.json"), -6), /state.json was changed or damaged/],
    ["a bit of the seal", (path) => flip(join(path, "state.json"), 20), /state.json was changed or damaged/],
    ["an empty state", (path) => writeFile(join(path, "state.json"), ""), /state.json was changed or damaged/],
    ["no state", (path) => rm(join(path, "state.json")), /it has no state.json/],
    [
      "a folder renamed",
      (path) => rename(path, join(root, "step-00000009")),
      /step of its folder's name, found step 2/,
    ],
  ])("%s is reported and the one before is used", async (_, damage, message) => {
    await save(1);
    await damage(await save(2));
    const { checkpoint, skipped } = await newestIntact(root);
    await using open = checkpoint!;
    expect(open.step).toBe(1);
    expect(skipped).toHaveLength(1);
    expect(skipped[0]!.path).toBe((await listCheckpoints(root)).at(-1)!.path);
    expect(skipped[0]!.error.message).toMatch(message);
    await expect(loadCheckpoint(skipped[0]!.path)).rejects.toThrow(message);
  });

  it("finds every changed bit", async () => {
    const path = await save(1);
    const rng = new Rng(5);
    const names = await readdir(path);
    for (let round = 0; round < 60; round++) {
      const file = join(path, names[round % names.length]!);
      const intact = await readFile(file);
      await flip(file, rng.below(intact.length));
      await expect(loadCheckpoint(path)).rejects.toThrow(CheckpointError);
      await writeFile(file, intact);
    }
    await (await loadCheckpoint(path)).close();
  });
});

/** Saves one step after the other, 2 MB each, and prints each one that is saved. `death`: dies inside that step. */
function saver(start: number, death: number): ChildProcess {
  const code = `
    import { saveCheckpoint } from ${JSON.stringify(new URL("./folder.ts", import.meta.url).href)};
    for (let step = ${start}; ; step++) {
      const tensor = () => ({ dtype: "float32", shape: [250_000], data: new Float32Array(250_000).fill(step) });
      const last = { dtype: "float32", shape: [1], get data() {
        if (step === ${death}) process.kill(process.pid, "SIGKILL");
        return Float32Array.of(step);
      } };
      const tensors = { model: [["a", tensor()]], optimizer: [["a", tensor()], ["z", last]] };
      await saveCheckpoint(${JSON.stringify(root)}, step, { tensors, state: { step } }, { keep: 2 });
      console.log(step);
    }`;
  const args = ["--import", "tsx", "--input-type=module", "-e", code];
  return spawn(process.execPath, args, { cwd: fileURLToPath(new URL("../../", import.meta.url)) });
}

/** Kills the saver `delayMs` after its first save, or waits for its own death; returns the last step that it reported. */
async function runSaver(start: number, how: { delayMs: number } | { death: number }): Promise<number> {
  const child = saver(start, "death" in how ? how.death : -1);
  let last = 0;
  let errors = "";
  child.stderr!.on("data", (text) => {
    errors += text;
  });
  child.stdout!.on("data", (text) => {
    if (last === 0 && "delayMs" in how) setTimeout(() => child.kill("SIGKILL"), how.delayMs);
    last = Number(String(text).trim().split("\n").at(-1));
  });
  const [, signal] = await once(child, "close");
  expect(errors).toBe("");
  expect(signal).toBe("SIGKILL");
  return last;
}

describe.skipIf(process.platform === "win32")("kill -9", () => {
  it("inside a save leaves the step before, and the next save cleans up", async () => {
    expect(await runSaver(1, { death: 3 })).toBe(2);
    expect((await readdir(root)).filter((name) => name.startsWith("step-00000003.tmp-"))).toHaveLength(1);
    expect(await resume()).toBe(2);
    await save(3, 2);
    expect((await readdir(root)).sort()).toEqual(["step-00000002", "step-00000003"]);
  });

  it("at any moment leaves every acknowledged step or a later one", async () => {
    const rng = new Rng(11);
    let step = 0;
    for (let round = 0; round < 5; round++) {
      const acknowledged = await runSaver(step + 1, { delayMs: rng.below(150) });
      step = await resume();
      expect(step).toBeGreaterThanOrEqual(acknowledged);
      expect(step).toBeLessThanOrEqual(acknowledged + 1);
    }
    await save(step + 1, 2);
    expect((await readdir(root)).sort()).toEqual(
      (await listCheckpoints(root)).map(({ path }) => path.slice(root.length + 1)),
    );
  });
});
