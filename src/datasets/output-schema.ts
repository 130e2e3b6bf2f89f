/** @file A schema of what is learned: completions are JSON that it allows, written in its order. */

import { z } from "zod";
import { ConfigError, messageOf } from "../base/errors.js";
import type { ChatMessage } from "../tokenizers/index.js";
import type { ExampleBody } from "./example.js";
import { type Issue, issuesOf, writtenPath } from "./issues.js";

/** A JSON Schema (draft 2020-12) as an object. */
export type JsonSchemaObject = Readonly<Record<string, unknown>>;

/** A schema by which values are checked: Zod, or a JSON Schema. @throws ConfigError when it cannot be. */
export function readSchema(schema: z.ZodType | JsonSchemaObject): z.ZodType {
  if (schema instanceof z.ZodType) return schema;
  try {
    return z.fromJSONSchema(schema);
  } catch (thrown) {
    throw new ConfigError(`this JSON Schema cannot be checked: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/**
 * The JSON Schema of what a schema gives out, or takes in.
 * @throws ConfigError for Zod that no JSON Schema says, such as a transform.
 */
export function jsonSchemaOf(
  schema: z.ZodType | JsonSchemaObject,
  io: "input" | "output" = "output",
): JsonSchemaObject {
  if (!(schema instanceof z.ZodType)) return schema;
  try {
    // what comes in can be said of a transform too, but the transform itself would be lost
    const output = z.toJSONSchema(schema);
    return io === "output" ? output : z.toJSONSchema(schema, { io });
  } catch (thrown) {
    throw new ConfigError(`this Zod schema has no JSON Schema: ${messageOf(thrown)}`, { cause: thrown });
  }
}

export type ReadOutput =
  | { readonly value: unknown; readonly faults?: undefined }
  | { readonly value?: undefined; readonly faults: readonly Issue[] };

export class OutputSchema {
  readonly json: JsonSchemaObject;
  readonly #checked: z.ZodType;
  readonly #branches = new Map<unknown, z.ZodType>();

  /** @throws ConfigError when the schema cannot be read. */
  constructor(schema: z.ZodType | JsonSchemaObject) {
    this.json = jsonSchemaOf(schema);
    this.#checked = readSchema(this.json);
  }

  /** Names of the properties, in the schema's order; empty for what is no object. */
  get fields(): readonly string[] {
    return Object.keys(propertiesOf(this.json));
  }

  /**
   * The value of a JSON text, its members in the order of the schema, or what is wrong with it. Members that the schema does
   * not name are faults unless it has `additionalProperties`: an output that is constrained by it cannot have them.
   */
  read(text: string): ReadOutput {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (thrown) {
      return { faults: [{ path: "", message: `no JSON: ${messageOf(thrown)}` }] };
    }
    return this.order(value);
  }

  /** The same for a value. */
  order(value: unknown): ReadOutput {
    const result = this.#checked.safeParse(value);
    if (!result.success) {
      const { faults, unknown } = issuesOf(result.error);
      return { faults: [...faults, ...unknown.map(unnamed)] };
    }
    const faults: Issue[] = [];
    const ordered = this.#ordered(value, this.json, [], faults);
    return faults.length > 0 ? { faults } : { value: ordered };
  }

  #ordered(value: unknown, schema: unknown, path: readonly PropertyKey[], faults: Issue[]): unknown {
    if (typeof value !== "object" || value === null) return value;
    const found = this.#branchOf(value, schema);
    if (Array.isArray(value)) {
      const { prefixItems, items } = found;
      const first = Array.isArray(prefixItems) ? prefixItems : [];
      return value.map((item: unknown, i) => this.#ordered(item, first[i] ?? items, [...path, i], faults));
    }
    const properties = propertiesOf(found);
    const names = Object.keys(properties).filter((name) => Object.hasOwn(value, name));
    const others = Object.keys(value).filter((name) => !Object.hasOwn(properties, name));
    const isOpen = found.additionalProperties !== undefined || Object.keys(properties).length === 0;
    if (!isOpen) faults.push(...others.map((name) => unnamed([...path, name])));
    const members = Object.entries(value);
    return Object.fromEntries(
      [...names, ...others].map((name) => {
        const of = properties[name] ?? found.additionalProperties;
        return [name, this.#ordered(members.find(([key]) => key === name)![1], of, [...path, name], faults)];
      }),
    );
  }

  /** The schema that speaks of a value: through references, and the first of alternatives that allows it. */
  #branchOf(value: unknown, schema: unknown): JsonSchemaObject {
    if (!isObject(schema)) return {};
    if (typeof schema.$ref === "string") return this.#branchOf(value, pointed(this.json, schema.$ref));
    const branches = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (!Array.isArray(branches)) return schema;
    return this.#branchOf(
      value,
      branches.find((branch) => this.#allows(branch, value)),
    );
  }

  #allows(branch: unknown, value: unknown): boolean {
    const { $defs, definitions } = this.json;
    const whole = {
      ...(isObject(branch) && branch),
      ...($defs !== undefined && { $defs }),
      ...(definitions !== undefined && { definitions }),
    };
    const checked = this.#branches.get(branch) ?? readSchema(whole);
    this.#branches.set(branch, checked);
    return checked.safeParse(value).success;
  }
}

/**
 * An example whose completions (every message of the assistant) are values of a schema, written as JSON in its order without
 * white space; or what is wrong with them, with paths below `completion`.
 */
export function withOutput(
  body: ExampleBody,
  output: OutputSchema,
): { readonly body: ExampleBody } | { readonly faults: readonly Issue[] } {
  const faults: Issue[] = [];
  const format = (text: string): string => {
    const read = output.read(text);
    for (const { path, message } of read.faults ?? []) faults.push({ path: below("completion", path), message });
    return JSON.stringify(read.value) ?? "";
  };
  const formatted = formattedBody(body, format, faults);
  return faults.length > 0 ? { faults } : { body: formatted };
}

function formattedBody(body: ExampleBody, format: (text: string) => string, faults: Issue[]): ExampleBody {
  if (body.kind === "completion") return { ...body, completion: format(body.completion) };
  if (body.kind === "text") {
    faults.push({ path: "", message: "plain text has no completion for the output schema to speak of" });
    return body;
  }
  const answered = (message: ChatMessage): ChatMessage => {
    if (message.role !== "assistant") return message;
    if (typeof message.content === "string") return { ...message, content: format(message.content) };
    faults.push({ path: "completion", message: "expected a text that is JSON" });
    return message;
  };
  return { ...body, messages: body.messages.map(answered) };
}

const below = (name: string, path: string): string =>
  path === "" ? name : `${name}${path.startsWith("[") ? "" : "."}${path}`;

const unnamed = (path: readonly PropertyKey[]): Issue => ({
  path: writtenPath(path),
  message: "the output schema does not name it; add it there, or additionalProperties",
});

const isObject = (value: unknown): value is JsonSchemaObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const propertiesOf = ({ properties }: JsonSchemaObject): JsonSchemaObject => (isObject(properties) ? properties : {});

/** What `#/$defs/x` names. */
function pointed(root: JsonSchemaObject, pointer: string): unknown {
  const keys = pointer.split("/").slice(1);
  return keys.reduce<unknown>(
    (at, key) => (isObject(at) ? at[key.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined),
    root,
  );
}
