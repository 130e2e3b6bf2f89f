/** @file What is wrong with a run that is to begin, said at the field where it can be put right. */

import { stat } from "node:fs/promises";
import {
  CapacityError,
  CheckpointError,
  ConfigError,
  DataError,
  messageOf,
  UnsupportedError,
} from "../../../base/errors.js";
import { Refusal } from "../../../server/refusal.js";
import { type TuneConfig, tuneSettings } from "../../tuning/index.js";

/** @throws Refusal 400 where there is nothing at a path. */
export async function expectPath(path: string, field: string, what: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new Refusal(400, `there is nothing at ${path}; give the path of ${what}`, field);
}

/** @throws Refusal 400 for settings that contradict each other. */
export function checkConfig(config: object): void {
  try {
    tuneSettings(config satisfies Partial<TuneConfig>);
  } catch (thrown) {
    throw refusalOf(thrown);
  }
}

const fields = [
  [DataError, "data"],
  [CheckpointError, "base"],
  [CapacityError, "memoryBytes"],
  [UnsupportedError, "method"],
  [ConfigError, undefined],
] as const;

/** What is wrong with a run that could not begin, at the field where it can be put right. */
export function refusalOf(thrown: unknown): unknown {
  const known = fields.find(([Kind]) => thrown instanceof Kind);
  return known ? new Refusal(400, messageOf(thrown), known[1]) : thrown;
}
