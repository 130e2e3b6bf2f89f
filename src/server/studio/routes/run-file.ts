/** @file `GET /api/runs/:id/files/…`: a file of a run, to be kept. */
import type { RouteDef } from "./route.js";

export const runFile: RouteDef = {
  method: "GET",
  path: "/api/runs/:id/files/:path{.+}",
  async respond(c, { service }) {
    const { name, bytes, stream } = await service.runs.open(c.req.param("id")!, c.req.param("path")!);
    return c.body(stream, 200, {
      "Content-Type": "application/octet-stream",
      "Content-Length": `${bytes}`,
      "Content-Disposition": `attachment; filename="${name.replaceAll(/[^\w.-]/g, "_")}"`,
    });
  },
};
