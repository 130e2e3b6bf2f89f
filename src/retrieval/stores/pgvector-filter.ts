/** @file Filters as SQL over a column of JSON; every condition is true or false there, never null, as `fulfils` has it. */
import type { Condition } from "../filter.js";

/** Collects the values of a statement and gives each its place: $1, $2 and so on. */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}

const operators = { $gt: ">", $gte: ">=", $lt: "<", $lte: "<=" } as const;

/** @param column of type jsonb that holds the metadata. */
export function filterSql(condition: Condition, column: string, parameters: Parameters): string {
  switch (condition.kind) {
    case "and":
    case "or": {
      const parts = condition.of.map((part) => filterSql(part, column, parameters));
      return parts.length === 0 ? String(condition.kind === "and") : `(${parts.join(` ${condition.kind} `)})`;
    }
    case "not":
      return `not ${filterSql(condition.of, column, parameters)}`;
    case "in": {
      const values = condition.values.map((value) => JSON.stringify(value));
      const field = `${column} -> ${parameters.add(condition.field)}::text`;
      return `coalesce(${field} = any(${parameters.add(values)}::text[]::jsonb[]), false)`;
    }
    default: {
      const field = `${parameters.add(condition.field)}::text`;
      const operator = operators[condition.kind];
      // by code points; inside of `case`, because the other type cannot be cast
      const isNumber = typeof condition.value === "number";
      const [left, right] = isNumber
        ? [`(${column} ->> ${field})::numeric`, `${parameters.add(String(condition.value))}::text::numeric`]
        : [`(${column} ->> ${field}) collate "C"`, `${parameters.add(condition.value)}::text`];
      const type = isNumber ? "number" : "string";
      return `(case when jsonb_typeof(${column} -> ${field}) = '${type}' then ${left} ${operator} ${right} else false end)`;
    }
  }
}
