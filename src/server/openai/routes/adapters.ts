/** @file `POST /v1/load_lora_adapter` and `/v1/unload_lora_adapter`: adapters come and go, under vLLM's names. */

import type { Context } from "hono";
import type { z } from "zod";
import { readJsonBody } from "../../body.js";
import { ApiError } from "../errors.js";
import { loadAdapterSchema, unloadAdapterSchema } from "../schemas/bodies.js";
import { checkBody } from "../schemas/parameters.js";
import { wireModel } from "./models.js";
import type { RouteContext, RouteDef } from "./route.js";

export const loadAdapter: RouteDef = {
  method: "POST",
  path: "/v1/load_lora_adapter",
  summary: "Loads an adapter folder as a model, where the server allows it",
  body: loadAdapterSchema,
  async respond(c, context) {
    const load = allowed(context.service.loadAdapter);
    const { lora_name: name, lora_path: path } = await bodyOf(c, loadAdapterSchema, context);
    return c.json(wireModel(await load({ name, path })));
  },
};

export const unloadAdapter: RouteDef = {
  method: "POST",
  path: "/v1/unload_lora_adapter",
  summary: "Takes an adapter away; requests that have it go on to their end",
  body: unloadAdapterSchema,
  async respond(c, context) {
    const unload = allowed(context.service.unloadAdapter);
    const { lora_name: name } = await bodyOf(c, unloadAdapterSchema, context);
    await unload(name);
    return c.json({ id: name, object: "model", deleted: true });
  },
};

function allowed<T>(action: T | undefined): T {
  if (action) return action;
  throw new ApiError(403, "adapters do not come and go here; start the server with --allow-adapter-loading <folder>", {
    code: "adapter_loading_off",
  });
}

async function bodyOf<Schema extends z.ZodType<{ readonly lora_name: string }>>(
  c: Context,
  schema: Schema,
  { maxBodyBytes, logBodies, call }: RouteContext,
): Promise<z.output<Schema>> {
  const value = await readJsonBody(c, maxBodyBytes);
  if (logBodies) call.record.body = value;
  const { body } = checkBody(value, schema);
  call.record.model = body.lora_name;
  return body;
}
