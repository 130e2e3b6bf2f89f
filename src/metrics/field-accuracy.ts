/** @file Share of outputs, constrained by the schema, in which a property is that of the data: by property. */

import { type Metric, meanOver, type Pair } from "./metric.js";

export const fieldAccuracy: Metric = {
  name: "field-accuracy",
  writing: "schema",
  score: (pairs, { parse, fields = [] }) => {
    const isRight = (field: string, { text, expected }: Pair): boolean => {
      const [given, wanted] = [memberOf(parse?.(text)), memberOf(parse?.(expected))];
      return given !== undefined && JSON.stringify(given[field]) === JSON.stringify(wanted?.[field]);
    };
    return Object.fromEntries(
      fields.map((field) => [`field-accuracy.${field}`, meanOver(pairs, (pair) => isRight(field, pair))]),
    );
  },
};

/** Members of an object; undefined for any other value. */
const memberOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
