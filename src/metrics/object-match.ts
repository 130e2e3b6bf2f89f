/** @file Share of outputs, constrained by the schema, whose value is wholly that of the data. */

import { type Metric, meanOver } from "./metric.js";

export const objectMatch: Metric = {
  name: "object-match",
  writing: "schema",
  score: (pairs, { parse }) => ({
    "object-match": meanOver(pairs, ({ text, expected }) => {
      const value = parse?.(text);
      return value !== undefined && JSON.stringify(value) === JSON.stringify(parse?.(expected));
    }),
  }),
};
