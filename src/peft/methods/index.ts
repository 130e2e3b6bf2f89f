/** @file Tuning methods by name. Of those that are stored alike, the first is the one that a file is read as. */
import { bitfit } from "./bitfit.js";
import { dora } from "./dora.js";
import { full } from "./full.js";
import { lastLayers } from "./last-layers.js";
import { ln } from "./ln.js";
import { longlora } from "./longlora.js";
import { lora } from "./lora.js";
import { loraFa } from "./lora-fa.js";
import { prefix } from "./prefix.js";
import { prompt } from "./prompt.js";
import { rslora } from "./rslora.js";
import { select } from "./select.js";

export const methods = {
  full,
  lora,
  rslora,
  dora,
  "lora-fa": loraFa,
  longlora,
  prompt,
  prefix,
  bitfit,
  ln,
  "last-layers": lastLayers,
  select,
} as const;
export type MethodName = keyof typeof methods;
