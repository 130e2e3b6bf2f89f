/** @file Takes a request's body: checked, and noted in the call's record. */

import type { Context } from "hono";
import type { z } from "zod";
import { checkBody } from "../schemas/parameters.js";
import type { RouteContext } from "./route.js";

/**
 * @param value the body as JSON.
 * @throws ApiError naming the parameter that is wrong.
 */
export function acceptBody<Schema extends z.ZodType<{ readonly model: string }>>(
  value: unknown,
  schema: Schema,
  c: Context,
  { call, logBodies }: Pick<RouteContext, "call" | "logBodies">,
): z.output<Schema> {
  if (logBodies) call.record.body = value;
  const { body, ignored } = checkBody(value, schema);
  const { model, stream } = body as { readonly model: string; readonly stream?: boolean };
  call.record.model = model;
  if (stream !== undefined) call.record.stream = stream;
  if (ignored.length > 0) {
    call.record.ignored = ignored;
    c.header("X-Ignored-Parameters", ignored.join(", "));
  }
  return body;
}
