/** @file Which parameters of OpenAI's interface a body may have, and what is said of the others. */

import type { z } from "zod";
import { ApiError } from "../errors.js";

/**
 * Parameters of OpenAI's that do not change a text here: accounts, storage, caching and speed of its own service. They
 * are taken and named in the header `X-Ignored-Parameters` and in the log.
 */
export const ignoredParameters = [
  "metadata",
  "prediction",
  "prompt_cache_key",
  "prompt_cache_retention",
  "safety_identifier",
  "service_tier",
  "store",
  "user",
] as const;

/** Fits a body to a schema; `null` stands for absent, as in OpenAI's interface. */
export interface CheckedBody<T> {
  readonly body: T;
  readonly ignored: readonly string[];
}

/** @throws ApiError naming the parameter that is wrong, unknown or not supported. */
export function checkBody<Schema extends z.ZodType>(value: unknown, schema: Schema): CheckedBody<z.output<Schema>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError(400, "the body must be a JSON object");
  const given = Object.entries(value).filter(([, entry]) => entry !== null);
  const isIgnored = (name: string): boolean => (ignoredParameters as readonly string[]).includes(name);
  const result = schema.safeParse(Object.fromEntries(given.filter(([name]) => !isIgnored(name))));
  if (!result.success) throw problemOf(result.error.issues[0]!);
  return { body: result.data, ignored: given.map(([name]) => name).filter(isIgnored) };
}

function problemOf(issue: z.core.$ZodIssue): ApiError {
  const place = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const param = [...place, issue.keys[0]!].join(".");
    return new ApiError(
      400,
      `${param} is not supported here and would change the result or is misspelt; leave it out`,
      { code: "unsupported_parameter", param },
    );
  }
  const param = place.join(".");
  const isType = issue.code === "invalid_type" || issue.code === "invalid_union";
  return new ApiError(400, param === "" ? issue.message : `${param}: ${issue.message}`, {
    code: isType ? "invalid_type" : "invalid_value",
    ...(param !== "" && { param }),
  });
}
