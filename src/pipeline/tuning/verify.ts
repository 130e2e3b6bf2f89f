/** @file Replays a run from its manifest and compares bit by bit. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, UnsupportedError } from "../../base/errors.js";
import { Workspace } from "../workspace.js";
import { builds } from "./builds.js";
import { MANIFEST_VERSION, type Manifest, manifestSchema } from "./manifest.js";
import { runTune, type TuneEvent } from "./tune-job.js";

export interface Verification {
  readonly isEqual: boolean;
  /** First step whose loss differs, from 1; undefined where none does. */
  readonly firstDifferentStep: number | undefined;
  readonly files: readonly { readonly path: string; readonly isEqual: boolean }[];
  /** Builds that are not those of the run: results may then differ in the last bits. */
  readonly changedBuilds: readonly string[];
}

/**
 * Runs the whole tuning again, in a folder of its own, with the settings, plan and seeds of the manifest.
 * @throws ConfigError when there is no manifest, or base or data are not those of the run; UnsupportedError for a manifest of another version.
 */
export async function verifyTuning(
  folder: string,
  onEvent: (event: TuneEvent) => void = () => {},
): Promise<Verification> {
  const manifest = await new Workspace(folder).read(manifestSchema, "manifest.json");
  if (!manifest)
    throw new ConfigError(`verifying: ${folder} has no manifest.json; give the --out folder of a finished run`);
  if (manifest.version !== MANIFEST_VERSION) {
    throw new UnsupportedError(
      `verifying: this version reads manifests of version ${MANIFEST_VERSION}, ${folder} has ${manifest.version}`,
    );
  }
  const out = await mkdtemp(join(tmpdir(), "tessera-verify-"));
  try {
    const { settings, threads, plan } = manifest;
    await runTune({ ...settings, threads, out }, { plan }, onEvent);
    const replayed = (await new Workspace(out).read(manifestSchema, "manifest.json"))!;
    checkInputs(manifest, replayed);
    return compared(manifest, replayed);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

function checkInputs(manifest: Manifest, replayed: Manifest): void {
  for (const [what, path] of [
    ["baseHash", manifest.settings.base],
    ["dataHash", String(manifest.settings.data)],
  ] as const) {
    if (manifest[what] !== replayed[what]) {
      throw new ConfigError(`verifying: ${path} is not what the run was made of (its content has changed)`);
    }
  }
}

function compared(manifest: Manifest, replayed: Manifest): Verification {
  const different = manifest.losses.findIndex((loss, i) => loss !== replayed.losses[i]);
  const files = Object.entries(manifest.files).map(([path, hash]) => ({
    path,
    isEqual: replayed.files[path] === hash,
  }));
  const now = builds();
  const changedBuilds = (Object.keys(now) as (keyof typeof now)[])
    .filter((name) => now[name] !== manifest.builds[name])
    .map((name) => `${name} ${now[name]}, was ${manifest.builds[name]}`);
  return {
    isEqual: different < 0 && files.every(({ isEqual }) => isEqual),
    firstDifferentStep: different < 0 ? undefined : different + 1,
    files,
    changedBuilds,
  };
}
