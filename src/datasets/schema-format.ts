/** @file A data format of one's own: a schema that rows are checked against, and templates that make a chat of each. */

import { z } from "zod";
import { ConfigError, messageOf } from "../base/errors.js";
import { ChatTemplate } from "../tokenizers/index.js";
import type { DataFormat } from "./format.js";

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

export interface SchemaFormatOptions {
  /** What a row is: a Zod schema, or a JSON Schema as an object. */
  readonly schema: z.ZodType | JsonSchema;
  /**
   * Jinja templates over the row's fields, by name (`{{ question }}`) or through `row`; `{{ row.answer | tojson }}` writes JSON. A
   * field that a template names and the row does not have is nothing.
   */
  readonly prompt: string;
  readonly completion: string;
  readonly system?: string;
}

/**
 * A format for `readExamples`: rows that the schema refuses are faults with their paths, and the values that it gives
 * (with its defaults and transforms) fill the templates.
 * @throws ConfigError when the schema or a template cannot be read.
 */
export function schemaFormat({ schema, prompt, completion, system }: SchemaFormatOptions): DataFormat {
  const checked = schema instanceof z.ZodType ? schema : fromJsonSchema(schema);
  const fill = { prompt: filler("prompt", prompt), completion: filler("completion", completion) };
  const fillSystem = system === undefined ? undefined : filler("system", system);
  return {
    name: "schema",
    fields: checked instanceof z.ZodObject ? Object.keys(checked.shape) : [],
    schema: checked.transform((value) => {
      const row: Readonly<Record<string, unknown>> = z.record(z.string(), z.unknown()).parse(value);
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

function fromJsonSchema(schema: JsonSchema): z.ZodType {
  try {
    return z.fromJSONSchema(schema);
  } catch (thrown) {
    throw new ConfigError(`schemaFormat: this JSON Schema cannot be checked: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function filler(name: string, source: string): (row: Readonly<Record<string, unknown>>) => string {
  let template: ChatTemplate;
  try {
    template = new ChatTemplate(source);
  } catch (thrown) {
    throw new ConfigError(`schemaFormat: ${name}: ${messageOf(thrown)}`, { cause: thrown });
  }
  return (row) => template.render([], { variables: { ...row, row } });
}
