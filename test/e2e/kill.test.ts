/** @file A training process that is killed, and one that goes on from what it left. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const STEPS = 400;

/** Trains a tiny model with a checkpoint every 20 steps; prints each step, and a hash of the weights at the end. */
const trainer = (root: string): string => `
  import { createHash } from "node:crypto";
  import { Runtime } from "./src/runtime/index.js";
  import { adamw, packDocuments, train } from "./src/train/index.js";
  import { tinyModel, tinyParameters } from "./test/support/tiny-model.js";
  const ids = (seed) => Int32Array.from({ length: 9 }, (_, i) => (seed * 7 + i) % 11);
  const data = { train: packDocuments(Array.from({ length: 40 }, (_, i) => ({ ids: ids(i) })), 16) };
  const model = tinyModel({ num_hidden_layers: 1, initializer_range: 0.1 });
  const parameters = tinyParameters(model);
  const runtime = await Runtime.open();
  const folder = { root: ${JSON.stringify(root)}, every: 20, keep: 2, fingerprint: "kill" };
  const events = train({ runtime, model, parameters, folder }, data, {
    steps: ${STEPS}, batchSize: 2, accumulate: 1, save: "all", attentionTile: 8, lossTile: { rows: 32, vocabulary: 11 },
    isTrainable: () => true, streamGradients: false, optimizer: adamw(), weightDecay: 0.01, clipNorm: 1, seed: 3,
    schedule: { name: "cosine", peak: 1e-2, warmupSteps: 5, totalSteps: ${STEPS}, finalShare: 0.1 },
    evaluateEvery: 0, patience: null,
  });
  for await (const event of events) if (event.type === "step") console.log(event.step);
  const hash = createHash("sha256");
  for (const { data } of parameters.values()) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  console.log(hash.digest("hex"));
  await runtime.close();`;

/** Lines that a trainer prints until it ends, or until it is killed after `killAt` of them. */
async function run(root: string, killAt = Number.POSITIVE_INFINITY): Promise<string[]> {
  const args = ["--import", "tsx", "--input-type=module", "-e", trainer(root)];
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(new URL("../../", import.meta.url)) });
  let output = "";
  let errors = "";
  child.stderr!.on("data", (text) => {
    errors += text;
  });
  child.stdout!.on("data", (text) => {
    output += text;
    if (output.split("\n").length > killAt) child.kill("SIGKILL");
  });
  const [code, signal] = await once(child, "close");
  expect(errors).toBe("");
  expect(killAt < STEPS ? signal : code).toBe(killAt < STEPS ? "SIGKILL" : 0);
  return output.trim().split("\n");
}

it.skipIf(process.platform === "win32")(
  "kill -9 loses at most the steps since the last checkpoint, and no bit",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "tessera-kill-"));
    const whole = await run(join(root, "whole"));
    expect(whole).toHaveLength(STEPS + 1);
    const reached = (await run(join(root, "killed"), 130)).length;
    const rest = await run(join(root, "killed"));
    const first = Number(rest[0]);
    expect(first).toBeGreaterThan(1);
    // one checkpoint may be under way when the process dies
    expect(first).toBeGreaterThan(reached - 2 * 20);
    expect(rest.at(-1)).toBe(whole.at(-1));
    await rm(root, { recursive: true });
  },
);
