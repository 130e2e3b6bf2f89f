/** @file Parameter-efficient methods by name. */
import { lora } from "./lora.js";

export const methods = { lora } as const;
export type MethodName = keyof typeof methods;
