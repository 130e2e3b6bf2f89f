/** @file Tuning on a device: what it asks of the settings, and how long a step takes there. */

import { ConfigError } from "../../base/errors.js";
import type { HostTensor } from "../../base/host-tensor.js";
import { Runtime } from "../../runtime/index.js";
import { batchOf, type OptimizerName, optimizers, type PackedDataset, ResidentStep } from "../../train/index.js";
import { type FittingShape, medianMs } from "../tuning-plan.js";
import { optimizerOf } from "./tune-algorithm.js";
import type { TuneSettings } from "./tune-config.js";

/** Where steps are taken. */
export const devices = ["cpu", "webgpu"] as const;

type DeviceSettings = Pick<
  TuneSettings,
  | "device"
  | "algorithm"
  | "optimizer"
  | "frozen"
  | "paging"
  | "curriculum"
  | "selectedTokens"
  | "precision"
  | "quantize"
>;

/** @throws ConfigError for what is not there on a device. */
export function checkDevice(settings: DeviceSettings): void {
  const { device, algorithm, optimizer, frozen, paging, curriculum, selectedTokens, precision, quantize } = settings;
  if (device === "cpu") return;
  const refuse = (what: string, instead: string): ConfigError =>
    new ConfigError(`tuning: device "${device}" does not have ${what}; ${instead}, or leave out the device`);
  if (algorithm !== "backprop") throw refuse(`algorithm "${algorithm}"`, 'take "backprop"');
  if (frozen !== "float32") throw refuse(`frozen weights in ${frozen}`, "keep them in float32");
  if (paging) throw refuse("memory in files", "leave out paging");
  if (curriculum?.start !== undefined) throw refuse("rows that are cut", "leave out the curriculum's start");
  if (precision !== "float32") throw refuse(`precision "${precision}"`, "compute in float32");
  if (quantize) throw refuse("weights under rounding", "leave out quantize");
  if (selectedTokens !== undefined) throw refuse("selected tokens", "leave out selectedTokens");
  if ("createUpdater" in optimizers[optimizer]()) {
    const elementwise = (Object.keys(optimizers) as OptimizerName[]).filter(
      (name) => !("createUpdater" in optimizers[name]()),
    );
    throw refuse(`optimizer "${optimizer}"`, `take one of: ${elementwise.join(", ")}`);
  }
}

/** The runtime of the settings' device; undefined for the CPU. @throws UnsupportedError where there is no adapter. */
export async function openDevice(
  { device }: Pick<TuneSettings, "device">,
  numThreads: number,
): Promise<Runtime | undefined> {
  return device === "cpu" ? undefined : Runtime.open({ backend: device, numThreads });
}

/** Milliseconds of a step on the device. The parameters in the process stay as they are. */
export async function measureDeviceStep(
  device: Runtime,
  { request: { model, isTrainable, time }, shape }: FittingShape,
  parameters: ReadonlyMap<string, HostTensor>,
  dataset: PackedDataset,
  settings: Pick<TuneSettings, "optimizer" | "beta2" | "weightDecay" | "clipNorm">,
): Promise<number> {
  const rows = Array.from({ length: shape.batchSize }, (_, i) => i);
  const batch = batchOf(dataset, rows, 1);
  const resident = await ResidentStep.create(device, model, parameters, {
    ...shape,
    time,
    packed: true,
    lossRows: shape.lossTile.rows,
    isTrainable,
    optimizer: optimizerOf(settings),
    weightDecay: settings.weightDecay,
    clipNorm: settings.clipNorm,
  });
  let step = 0;
  return medianMs(async () => {
    await resident.run(batch, { step: step++, learningRate: 0 });
  }, resident);
}
