/** @file Plain text, every token of which is learned. */

import { z } from "zod";
import type { ExampleBody } from "../example.js";
import type { DataFormat } from "../format.js";

const schema = z.strictObject({ text: z.string() });

export const text: DataFormat = {
  name: "text",
  fields: Object.keys(schema.shape),
  schema: schema.transform(({ text }): ExampleBody => ({ kind: "text", text })),
  recognise: (row) => (typeof row.text === "string" ? "has text" : undefined),
};
