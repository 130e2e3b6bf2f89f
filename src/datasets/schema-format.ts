/** @file A data format of one's own: a schema that rows are checked against, and templates that make a chat of each. */

import { z } from "zod";
import { ConfigError, messageOf } from "../base/errors.js";
import { ChatTemplate } from "../tokenizers/index.js";
import type { DataFormat } from "./format.js";
import { type JsonSchemaObject, type OutputSchema, readSchema } from "./output-schema.js";

type Row = Readonly<Record<string, unknown>>;

export interface SchemaFormatOptions {
  /** What a row is: a Zod schema, or a JSON Schema as an object. */
  readonly schema: z.ZodType | JsonSchemaObject;
  /**
   * Jinja templates over the row's fields, by name (`{{ question }}`) or through `row`; `{{ row.answer | tojson }}` writes JSON. A
   * field that a template names and the row does not have is nothing.
   */
  readonly prompt: string;
  /** Default: the fields of `output`, as JSON. */
  readonly completion?: string | undefined;
  /** The schema of what is learned, for rows that are without `completion`. */
  readonly output?: OutputSchema | undefined;
  readonly system?: string | undefined;
}

/**
 * A format for `readExamples`: rows that the schema refuses are faults with their paths, and the values that it gives
 * (with its defaults and transforms) fill the templates.
 * @throws ConfigError when the schema or a template cannot be read, or nothing says what is learned.
 */
export function schemaFormat({ schema, prompt, completion, output, system }: SchemaFormatOptions): DataFormat {
  const checked = readSchema(schema);
  const fill = { prompt: filler("prompt", prompt), completion: completionOf(completion, output) };
  const fillSystem = system === undefined ? undefined : filler("system", system);
  return {
    name: "schema",
    fields: checked instanceof z.ZodObject ? Object.keys(checked.shape) : [],
    schema: checked.transform((value) => {
      const row: Row = z.record(z.string(), z.unknown()).parse(value);
      return {
        kind: "chat" as const,
        messages: [
          ...(fillSystem ? [{ role: "system", content: fillSystem(row) }] : []),
          { role: "user", content: fill.prompt(row) },
          { role: "assistant", content: fill.completion(row) },
        ],
        style: "instruction" as const,
      };
    }),
    recognise: () => undefined,
  };
}

function completionOf(template: string | undefined, output: OutputSchema | undefined): (row: Row) => string {
  if (template !== undefined) return filler("completion", template);
  const fields = output?.fields ?? [];
  if (fields.length > 0)
    return (row) => JSON.stringify(Object.fromEntries(Object.entries(row).filter(([name]) => fields.includes(name))));
  throw new ConfigError(
    "schemaFormat: there is no completion: give a template, or an output schema with properties whose names are fields of the rows",
  );
}

function filler(name: string, source: string): (row: Row) => string {
  let template: ChatTemplate;
  try {
    template = new ChatTemplate(source);
  } catch (thrown) {
    throw new ConfigError(`schemaFormat: ${name}: ${messageOf(thrown)}`, { cause: thrown });
  }
  return (row) => template.render([], { variables: { ...row, row } });
}
