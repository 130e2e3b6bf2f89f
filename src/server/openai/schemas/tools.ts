/** @file Tools, the choice among them, and the form of answers. */

import { z } from "zod";
import type { TextConstraint } from "../service.js";
import { planTools, type ToolPlan } from "../tool-plan.js";

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
    strict: z.boolean().nullish(),
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

/** @throws ApiError where names stand twice or the choice is none of the tools. */
export function toolPlanOf({ tools = [], tool_choice = "auto", parallel_tool_calls }: ToolsBody): ToolPlan {
  const planned = tools.map(({ type, function: { name, description, parameters, strict } }) => ({
    definition: {
      type,
      function: { name, ...(description !== undefined && { description }), ...(parameters && { parameters }) },
    },
    isStrict: strict === true,
  }));
  const choice = typeof tool_choice === "string" ? tool_choice : { name: tool_choice.function.name };
  return planTools(planned, choice, parallel_tool_calls);
}

/** What the answer must be, or undefined for free text. */
export function constraintOf({ response_format: format }: ToolsBody): TextConstraint | undefined {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json" };
  return { type: "json_schema", schema: format.json_schema.schema };
}
