/** @file Tools, the choice among them, and the form of answers. */

import { z } from "zod";
import { ApiError } from "../errors.js";
import type { TextConstraint, ToolDefinition } from "../service.js";

const typeNames = ["object", "array", "string", "number", "integer", "boolean", "null"] as const;
const typeName = z.enum(typeNames);

/** The parts of a JSON schema whose types can be wrong; what they mean together is for whoever reads them. */
const jsonSchema: z.ZodType<Record<string, unknown>> = z.lazy(() => {
  const schema = z.union([z.boolean(), jsonSchema], { error: "expected a JSON schema: an object, true or false" });
  return z.looseObject(
    {
      type: z
        .union([typeName, z.array(typeName).min(1)], { error: `expected one or more of ${typeNames.join(", ")}` })
        .optional(),
      properties: z.record(z.string(), schema).optional(),
      required: z.array(z.string()).optional(),
      additionalProperties: schema.optional(),
      items: schema.optional(),
      enum: z.array(z.unknown()).min(1).optional(),
      anyOf: z.array(schema).min(1).optional(),
      oneOf: z.array(schema).min(1).optional(),
      allOf: z.array(schema).min(1).optional(),
      description: z.string().optional(),
    },
    { error: "expected a JSON schema: an object" },
  );
});

const identifier = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "expected 1 to 64 letters, digits, _ or -");

const toolSchema = z.strictObject({
  type: z.literal("function", { error: "only tools of the type function are supported" }),
  function: z.strictObject({
    name: identifier,
    description: z.string().optional(),
    parameters: jsonSchema
      .refine(({ type }) => type === undefined || type === "object", "the schema of arguments must be of type object")
      .optional(),
    strict: z
      .literal(false, { error: "strict: true is not supported: arguments are not constrained; leave it out" })
      .nullish(),
  }),
});

export const toolsShape = {
  tools: z.array(toolSchema).max(128).optional(),
  tool_choice: z
    .union(
      [
        z.enum(["none", "auto", "required"]),
        z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: identifier }) }),
      ],
      { error: 'expected "none", "auto", "required" or { "type": "function", "function": { "name": … } }' },
    )
    .optional(),
  parallel_tool_calls: z.boolean().default(true),
  response_format: z
    .discriminatedUnion(
      "type",
      [
        z.strictObject({ type: z.literal("text") }),
        z.strictObject({ type: z.literal("json_object") }),
        z.strictObject({
          type: z.literal("json_schema"),
          json_schema: z.strictObject({
            name: identifier,
            description: z.string().optional(),
            schema: jsonSchema,
            strict: z.boolean().nullish(),
          }),
        }),
      ],
      { error: "expected an object with the type text, json_object or json_schema" },
    )
    .optional(),
};

const shape = z.object(toolsShape);
type ToolsBody = z.output<typeof shape>;

/** What the model may, must or must not call. */
export interface ToolPlan {
  readonly tools: readonly ToolDefinition[];
  /** The answer must be a call, of the function named or of any. */
  readonly forced: { readonly name?: string } | undefined;
  readonly isParallel: boolean;
}

/** @throws ApiError where names stand twice or the choice is none of the tools. */
export function toolPlanOf({ tools = [], tool_choice, parallel_tool_calls }: ToolsBody): ToolPlan {
  const names = tools.map((tool) => tool.function.name);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) throw wrong(`tools.${twice}.function.name`, `two tools are called ${names[twice]}`);
  const isParallel = parallel_tool_calls;
  if (tool_choice === "none") return { tools: [], forced: undefined, isParallel };
  const definitions = tools.map(({ type, function: { name, description, parameters } }) => ({
    type,
    function: { name, ...(description !== undefined && { description }), ...(parameters && { parameters }) },
  }));
  if (tool_choice === undefined || tool_choice === "auto") return { tools: definitions, forced: undefined, isParallel };
  if (tools.length === 0) throw wrong("tool_choice", "a call is asked for, but there are no tools");
  if (tool_choice === "required") return { tools: definitions, forced: {}, isParallel };
  const { name } = tool_choice.function;
  if (!names.includes(name)) throw wrong("tool_choice", `${name} is none of the tools: ${names.join(", ")}`);
  return { tools: definitions, forced: { name }, isParallel };
}

/** What the answer must be, or undefined for free text. */
export function constraintOf({ response_format: format }: ToolsBody): TextConstraint | undefined {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json" };
  return { type: "json_schema", schema: format.json_schema.schema };
}

function wrong(param: string, message: string): ApiError {
  return new ApiError(400, `${param}: ${message}`, { code: "invalid_value", param });
}
