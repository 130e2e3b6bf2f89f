/** @file The three presets of a folder, scored: questions, summaries, conversations. */

import type { Benchmark } from "../bench.js";
import { questionFigures } from "./presets/answered.js";
import { conversationFigures } from "./presets/conversations.js";
import { summaryFigures } from "./presets/summaries.js";

export const presetsBench: Benchmark = {
  name: "presets",
  about:
    "questions, summaries and conversations over Fastify's documentation, XQuAD and Chinese documents; `tuning` for the halves that constants were chosen on, instead of those held out; questions, summaries or conversations alone",
  async run({ log, args }) {
    const half = args.includes("tuning") ? 0 : 1;
    const wanted = args.filter((arg) => arg !== "tuning");
    const isWanted = (part: string): boolean => wanted.length === 0 || wanted.includes(part);
    return [
      ...(isWanted("questions") ? await questionFigures(log) : []),
      ...(isWanted("summaries") ? await summaryFigures(half, log) : []),
      ...(isWanted("conversations") ? await conversationFigures(half, log) : []),
    ];
  },
};
