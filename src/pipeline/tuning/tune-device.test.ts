import { describe, expect, it } from "vitest";
import { tinyModel } from "../../../test/support/tiny-model.js";
import { whyNoWebGpu } from "../../../test/support/webgpu.js";
import { shapeWithin } from "../tuning-plan.js";
import { tuneSettings } from "./tune-config.js";
import { openDevice } from "./tune-device.js";
import { runTune } from "./tune-job.js";
import { stepRequest } from "./tune-plan.js";

const minimal = { base: "model", data: "rows.jsonl" };

describe("settings of a device", () => {
  it("leave steps on the CPU where nothing is said", () => {
    expect(tuneSettings(minimal).device).toBe("cpu");
    expect(tuneSettings({ ...minimal, device: "webgpu" })).toMatchObject({ device: "webgpu", optimizer: "adamw" });
  });

  it.each([
    [{ algorithm: "lomo" }, 'device "webgpu" does not have algorithm "lomo"; take "backprop", or leave out the device'],
    [{ method: "qlora" }, "does not have frozen weights in nf4; keep them in float32"],
    [{ optimizer: "adafactor" }, 'does not have optimizer "adafactor"; take one of: adamw, lion, sgd'],
    [{ device: "cuda" }, "device"],
  ] as const)("refuse %o", (changes, message) => {
    expect(() => tuneSettings({ ...minimal, device: "webgpu", ...changes })).toThrow(message);
  });

  it("take all rows of a step at once, with the loss over the whole vocabulary", () => {
    const request = (device: "cpu" | "webgpu") =>
      stepRequest({ model: tinyModel(), isTrainable: () => true }, tuneSettings({ ...minimal, device }), 512);
    const within = (device: "cpu" | "webgpu") =>
      shapeWithin(request(device), { memoryBytes: undefined, processBytes: 0 }).fitting!.shape;
    expect(within("cpu").batchSize).toBe(2);
    expect(within("webgpu")).toMatchObject({ batchSize: 8, streamGradients: false, lossTile: { vocabulary: 11 } });
    const none = { memoryBytes: 1, processBytes: 0 };
    expect(shapeWithin(request("webgpu"), none).fitting).toBeUndefined();
  });
});

const missing = whyNoWebGpu();

// not where opening it ends processes
it.runIf(missing?.startsWith("WebGPU: "))(
  "a run on a device that is not there says so before it reads anything",
  async () => {
    expect(await openDevice({ device: "cpu" }, 1)).toBeUndefined();
    await expect(runTune({ ...minimal, device: "webgpu" })).rejects.toThrow(missing);
  },
);
