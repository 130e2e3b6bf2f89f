import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planModel, writePlanModel } from "../../../test/support/plan-model.js";
import type { PlanRequest } from "../../server/studio/wire/index.js";
import { planTable } from "../tuning/index.js";
import { PlanControl } from "./plan.js";

const plans = new PlanControl();
let root: string;
let request: PlanRequest;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-plan-"));
  const base = join(root, "model");
  await writePlanModel(base);
  request = { base, method: "full", algorithm: "backprop", precision: "float32", length: 1024, batchSize: 4 };
});
afterAll(() => rm(root, { recursive: true }));

describe("plans of the page", () => {
  it("are those of tessera plan, whatever the budget was before", async () => {
    for (const memoryBytes of [undefined, 300e6, 400e6, 350e6, undefined]) {
      const answer = await plans.plan({ ...request, ...(memoryBytes !== undefined && { memoryBytes }) });
      const [cell] = planTable(planModel, {
        methods: ["full"],
        lengths: [1024],
        algorithm: "backprop",
        optimizer: undefined,
        batchSize: 4,
        memoryBytes,
        flopsPerSecond: answer.flopsPerSecond,
      });
      expect(answer.fits).toBe(cell!.fits);
      if (answer.fits && cell!.fits) {
        expect(answer.memory).toEqual(cell!.memory);
        expect(answer.secondsPerStep).toBe(cell!.secondsPerStep);
        const { rowsAtOnce, microBatches } = answer.shape;
        expect(rowsAtOnce * microBatches).toBe(4);
      }
    }
  });

  it("name single changes that fit, each of which does", async () => {
    const roomy = await plans.plan({ ...request, memoryBytes: 1 });
    expect(roomy).toMatchObject({ fits: false, maxPositions: 2048 });
    const needed = (roomy as { neededBytes: number }).neededBytes;
    const tight = { ...request, memoryBytes: needed - 5e6 };
    const changes = await plans.changes(tight);
    expect(changes.map(({ set }) => Object.keys(set)[0])).toEqual(
      expect.arrayContaining(["length", "method", "algorithm", "memoryBytes"]),
    );
    for (const { set, totalBytes } of changes) {
      const answer = await plans.plan({ ...tight, ...set });
      expect(answer).toMatchObject({ fits: true, memory: { total: totalBytes } });
    }
  });

  it("say what a model or a configuration does not allow", async () => {
    expect(await plans.plan({ ...request, length: 4096 })).toMatchObject({ reason: expect.stringContaining("2048") });
    expect(await plans.plan({ ...request, algorithm: "lomo", optimizer: "adamw" })).toMatchObject({
      fits: false,
      reason: expect.stringContaining("lomo"),
    });
    await expect(plans.plan({ ...request, base: join(root, "none") })).rejects.toMatchObject({
      status: 400,
      field: "base",
    });
    await expect(plans.plan({ ...request, base: root })).rejects.toMatchObject({ status: 400, field: "base" });
  });
});
