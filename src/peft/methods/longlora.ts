/**
 * @file LongLoRA (Chen et al. 2023, arXiv:2309.12307, sections 3.2 and 3.3): LoRA with trained norms and embeddings, and
 * attention in shifted groups while training. Inference attends to all, and what is learned is stored as LoRA.
 */

import { z } from "zod";
import type { LanguageModel, LayerKind } from "../../nn/index.js";
import { parametersNamed } from "../groups.js";
import { linearAdapter } from "../linear-adapter.js";
import type { TuningMethod } from "../method.js";
import { type LoraConfig, loraKeys, lowRank, overRank } from "./lora.js";

const schema = z.object({
  ...loraKeys,
  /** Size of a group as a share of the sequence; the paper's is a quarter. */
  group_size_ratio: z.number().positive().max(1).default(0.25),
});

export type LongLoraConfig = z.output<typeof schema>;

const adapters = linearAdapter(
  lowRank<LongLoraConfig & LoraConfig>(
    {
      name: "longlora",
      schema,
      marks: { use_dora: false, use_rslora: false },
      omit: ["group_size_ratio"],
    },
    overRank,
  ),
);

function grouped(kind: LayerKind, trainingGroup: number): LayerKind {
  return {
    ...kind,
    build: (scope, x, context) =>
      kind.build(scope, x, { ...context, attend: (request) => context.attend({ ...request, trainingGroup }) }),
  };
}

export const longlora: TuningMethod<LongLoraConfig> = {
  ...adapters,
  select: (base) => parametersNamed(base, ["norms", "embedding"]),
  attach: (applied): LanguageModel => {
    const model = adapters.attach!(applied);
    const kinds = Object.entries(model.kinds).map(
      ([name, kind]) => [name, grouped(kind, applied.config.group_size_ratio)] as const,
    );
    return { ...model, kinds: Object.fromEntries(kinds) };
  },
};
