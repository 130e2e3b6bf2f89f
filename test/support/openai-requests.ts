/** @file Requests to the OpenAI-compatible server in this process, and what comes back. */

import { beforeEach, expect } from "vitest";
import {
  type CallRecord,
  createOpenAiApp,
  type OpenAiApp,
  type OpenAiAppOptions,
  type TextService,
} from "../../src/server/openai/index.js";

/** Makes apps that note their own faults and their calls; both lists are emptied before each test. */
export function watchedApps() {
  const bugs: unknown[] = [];
  const log: CallRecord[] = [];
  beforeEach(() => {
    for (const list of [bugs, log]) list.length = 0;
  });
  const serve = (service: TextService, options: OpenAiAppOptions = {}): OpenAiApp =>
    createOpenAiApp(service, {
      onError: (thrown) => bugs.push(thrown),
      log: (record) => log.push(record),
      ...options,
    });
  return { serve, bugs, log };
}

export type Json = Record<string, unknown>;

export async function post({ app }: OpenAiApp, path: string, body: unknown, headers: Json = {}): Promise<Response> {
  return app.request(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(headers as Record<string, string>) },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export async function json(response: Response | Promise<Response>): Promise<Json> {
  return (await (await response).json()) as Json;
}

/** Status, parameter, code and message. */
export async function errorOf(response: Response | Promise<Response>): Promise<unknown[]> {
  const settled = await response;
  const { error } = (await settled.json()) as { error: Json };
  expect(Object.keys(error)).toEqual(["message", "type", "param", "code"]);
  return [settled.status, error.param, error.code, error.message];
}

export async function framesOf(response: Response): Promise<unknown[]> {
  const blocks = (await response.text()).split("\n\n");
  expect(blocks.pop()).toBe("");
  return blocks.map((block) => {
    expect(block.startsWith("data: ")).toBe(true);
    const text = block.slice(6);
    return text === "[DONE]" ? text : JSON.parse(text);
  });
}

export const chat = (server: OpenAiApp, body: Json) => post(server, "/v1/chat/completions", body);

/** The message of the user in tests. */
export const user = { role: "user", content: "What is the weather?" };

export const weatherTool = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
};
