/** @file `POST /api/search`: the best passages for a question. */

import { z } from "zod";
import type { Hit } from "../../retrieval/stores/store.js";
import { readJson } from "../body.js";
import { matchedWords } from "../matches.js";
import type { Passage, SearchResponse } from "../wire.js";
import type { RouteDef } from "./route.js";

const schema = z.strictObject({
  question: z.string().trim().min(1, "write a question of at least one character").max(2000),
  limit: z.int().min(1).max(50).default(10),
});

export const search: RouteDef = {
  method: "POST",
  path: "/api/search",
  async respond(c, { service }) {
    const { question, limit } = await readJson(c, schema);
    const started = performance.now();
    const hits = await service.search(question, limit);
    const milliseconds = performance.now() - started;
    const passages = hits.map((hit) => passageOf(hit, question));
    return c.json({ passages, milliseconds } satisfies SearchResponse);
  },
};

function passageOf({ chunk, score, ranks }: Hit, question: string): Passage {
  const { path, headingPath, start, end, page, text } = chunk;
  const matches = matchedWords(question, text).map((word) => [start + word.start, start + word.end] as const);
  return { path, headingPath, start, end, ...(page !== undefined && { page }), text, score, ranks, matches };
}
