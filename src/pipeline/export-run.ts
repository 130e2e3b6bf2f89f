/** @file The model of a finished run in the format of another program. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../base/errors.js";
import { createFolder } from "../checkpoint/atomic.js";
import { ifThere } from "../checkpoint/byte-file.js";
import { resolveModel } from "../checkpoint/index.js";
import { type ExportFormat, type ExportReport, type ExportSource, exporters, exportModel } from "../export/index.js";
import { loadAdapter } from "../peft/index.js";
import { loadModel } from "../presets/index.js";
import { Runtime } from "../runtime/index.js";
import { Workspace } from "./workspace.js";

export interface RunExport {
  /** Folder of the run. */
  readonly run: string;
  readonly format: ExportFormat;
  /** One of the format's. */
  readonly dtype: string;
}

/** How formats that are one file call it. */
const endings: Readonly<Partial<Record<ExportFormat, string>>> = { gguf: ".gguf", onnx: ".onnx" };

/**
 * Writes a run's model to `exports/<format>-<dtype>` in its folder, where there is none yet. What was written is compared with
 * the model before it appears there.
 * @throws CheckpointError where they differ.
 */
export async function exportRun({ run, format, dtype }: RunExport): Promise<ExportReport | undefined> {
  const folder = join(run, "exports", `${format}-${dtype}`);
  if (await ifThere(stat(folder), folder)) return undefined;
  const source = await sourceOf(run);
  await using runtime = await Runtime.open();
  let report: ExportReport | undefined;
  await createFolder(folder, async (temporary) => {
    const target = join(temporary, `model${endings[format] ?? ""}`);
    report = await exportModel(runtime, source, exporters[format], { target, dtype });
  });
  return report;
}

const configSchema = z.looseObject({ settings: z.looseObject({ base: z.string() }) });

/** The whole model where the run has written it, else its base with the adapter. */
async function sourceOf(run: string): Promise<ExportSource> {
  const model = join(run, "model");
  if (await ifThere(stat(model), model)) return loadModel(model);
  const manifest = await new Workspace(run).read(configSchema, "manifest.json");
  if (!manifest) throw new ConfigError(`exporting: ${run} holds no model and no manifest.json; give a finished run`);
  const { base } = manifest.settings;
  const loaded = await loadModel(await resolveModel(base));
  const { adapter, parameters } = await loadAdapter(join(run, "adapter"), loaded.model);
  return { ...loaded, adapter: { definition: adapter, parameters, baseModel: base } };
}
