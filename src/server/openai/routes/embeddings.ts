/** @file `POST /v1/embeddings`: texts to vectors. */

import { readJsonBody } from "../../body.js";
import { ApiError } from "../errors.js";
import { embeddingSchema } from "../schemas/bodies.js";
import { acceptBody } from "./accept-body.js";
import { findModel, type RouteDef } from "./route.js";

export const embeddings: RouteDef = {
  method: "POST",
  path: "/v1/embeddings",
  summary: "Texts as vectors",
  body: embeddingSchema,
  async respond(c, context) {
    const { service, call, queue, maxBodyBytes } = context;
    const body = acceptBody(await readJsonBody(c, maxBodyBytes), embeddingSchema, c, context);
    if (!service.embed) {
      throw new ApiError(501, "this server has no model for embeddings; start it with --embeddings <model>", {
        code: "no_embedding_model",
      });
    }
    findModel(service, body.model);
    const texts = typeof body.input === "string" ? [body.input] : body.input;
    const ticket = queue.enter(call.signal);
    try {
      await ticket.turn;
      const { vectors, numTokens } = await service.embed({ model: body.model, texts, signal: call.signal });
      if (call.signal.aborted) throw call.signal.reason;
      call.countPrompt(numTokens);
      const encode = body.encoding_format === "base64" ? base64 : (vector: Float32Array) => Array.from(vector);
      return c.json({
        object: "list",
        data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) })),
        model: body.model,
        usage: { prompt_tokens: numTokens, total_tokens: numTokens },
      });
    } finally {
      ticket.leave();
    }
  },
};

/** Little-endian float32 in base64. */
function base64(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [i, value] of vector.entries()) view.setFloat32(4 * i, value, true);
  let binary = "";
  for (let i = 0; i < view.byteLength; i++) binary += String.fromCharCode(view.getUint8(i));
  return btoa(binary);
}
