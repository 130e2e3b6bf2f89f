/** @file Preference data: recognised, so that it can be said what they are for. */

import type { RefusedFormat } from "../format.js";

export const dpo: RefusedFormat = {
  name: "dpo",
  advice:
    "pairs of answers are for preference tuning (DPO, ORPO, reward models), not for supervised fine-tuning; to learn the preferred answers alone, " +
    "write them to a file of their own as the assistant's answers",
  recognise: ({ chosen, rejected }) =>
    chosen !== undefined && rejected !== undefined ? "has chosen and rejected" : undefined,
};

export const kto: RefusedFormat = {
  name: "kto",
  advice:
    "answers with a judgement are for preference tuning (KTO), not for supervised fine-tuning, which would learn the bad ones too; to learn the good " +
    "answers alone, write those rows without the label to a file of their own",
  recognise: ({ label, kto_tag }) => {
    if (typeof kto_tag === "boolean") return "has kto_tag that is true or false";
    return typeof label === "boolean" ? "has label that is true or false" : undefined;
  },
};
