/** @file rsLoRA (Kalajdzievski 2023, arXiv:2312.03732, theorem 3.2): LoRA scaled by α/√r, so that large ranks still learn. */

import { z } from "zod";
import { linearAdapter } from "../linear-adapter.js";
import { type LoraConfig, loraKeys, lowRank, type Scaling } from "./lora.js";

export const overRootOfRank: Scaling<LoraConfig> = ({ r, lora_alpha }) => lora_alpha / Math.sqrt(r);

export const rslora = linearAdapter(
  lowRank<LoraConfig>(
    { name: "rslora", schema: z.object(loraKeys), marks: { use_dora: false, use_rslora: true } },
    overRootOfRank,
  ),
);
