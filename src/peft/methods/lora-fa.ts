/**
 * @file LoRA-FA (Zhang et al. 2023, arXiv:2308.03303, section 3): LoRA with A frozen at its random start, so that the
 * backward pass needs A x [.., r] where LoRA needs x [.., in]. What is learned is LoRA, and is stored as it.
 */

import { z } from "zod";
import { linearAdapter } from "../linear-adapter.js";
import { loraKeys, plainLora } from "./lora.js";

export const loraFa = linearAdapter({
  ...plainLora,
  name: "lora-fa",
  schema: z.object(loraKeys),
  parameters: (config, outFeatures, inFeatures) =>
    plainLora
      .parameters(config, outFeatures, inFeatures)
      .map((parameter) => (parameter.name === "lora_A.weight" ? { ...parameter, isFrozen: true } : parameter)),
});
