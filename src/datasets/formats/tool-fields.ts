/** @file Tools and calls in the spellings that data have, as chat templates read them. */

import { z } from "zod";
import { messageOf } from "../../base/errors.js";
import type { ToolSchema } from "../example.js";

/** A JSON text as its value; anything else as it is. */
const fromText = z.unknown().transform((value, context) => {
  if (typeof value !== "string" || value.trim() === "") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch (thrown) {
    context.addIssue({ code: "custom", message: `expected JSON: ${messageOf(thrown)}` });
    return z.NEVER;
  }
});

const toolSchema = z
  .looseObject({ name: z.string().optional(), function: z.looseObject({ name: z.string() }).optional() })
  .refine((tool) => tool.name !== undefined || tool.function !== undefined, "expected a name or a function with a name")
  .transform((tool): ToolSchema => (tool.function === undefined ? { type: "function", function: tool } : tool));

/** Schemas of functions, as a list or as its JSON text, bare (`{ name, parameters }`) or as OpenAI wraps them. */
export const toolsField = fromText.pipe(
  z.union([z.array(toolSchema), z.literal("").transform(() => []), z.null().transform(() => [])]),
);

/** Arguments of a call as an object: templates write them with `tojson`. */
const callArguments = fromText.pipe(z.record(z.string(), z.unknown()));

/** `{ name, arguments }`. */
const bareCall = z
  .strictObject({ name: z.string(), arguments: callArguments })
  .transform((call) => ({ type: "function", function: call }));

/** The text of one call, or of a list of them. */
export const callsText = fromText.pipe(z.union([bareCall.transform((call) => [call]), z.array(bareCall).min(1)]));

/** Calls as OpenAI writes them. */
export const toolCalls = z.array(
  z.strictObject({
    id: z.string().optional(),
    type: z.literal("function").optional(),
    function: z.strictObject({ name: z.string(), arguments: callArguments }),
  }),
);
