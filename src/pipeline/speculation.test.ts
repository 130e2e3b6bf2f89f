import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomModel, scriptedModel } from "../../test/support/served-model.js";
import { Runtime } from "../runtime/index.js";
import { createOpenAiApp } from "../server/openai/index.js";
import type { SpeculationChoice } from "./speculation.js";
import { type OpenTextService, openTextService } from "./text-service.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.open({ numThreads: 1 });
});
afterAll(() => runtime.close());

async function write(service: OpenTextService, stop: readonly string[] = []): Promise<string> {
  const { pieces } = await service.generate({
    model: service.id,
    prompt: { kind: "plain", text: "Hello" },
    sampling: { temperature: 0, topP: 1 },
    seed: 0,
    stop,
    maxTokens: 60,
    signal: new AbortController().signal,
  });
  let text = "";
  for await (const piece of pieces) text += piece.text;
  return text;
}

describe("a served model with speculation", () => {
  it("writes the same text, ends it before the same stop string, and counts what was proposed", async () => {
    const loaded = randomModel({ contextLength: 128 });
    await using plain = await openTextService(runtime, loaded, { id: "m" });
    const text = await write(plain);
    const stop = text.slice(40, 43);
    const stopped = await write(plain, [stop]);
    for (const speculation of [{ way: "ngram" }, { way: "draft", draft: loaded, tokens: 4 }] as const) {
      await using service = await openTextService(runtime, loaded, { id: "m", speculation });
      expect(await write(service)).toBe(text);
      expect(await write(service, [stop])).toBe(stopped);
      const { proposed, accepted } = service.speculation!();
      expect(accepted).toBeLessThanOrEqual(proposed);
      if (speculation.way === "draft") expect(accepted).toBeGreaterThan(0);
      const { app } = createOpenAiApp(service);
      const lines = (await (await app.request("/metrics")).text()).split("\n");
      expect(lines).toContain(`tessera_speculation_tokens_total{outcome="proposed"} ${proposed}`);
      expect(lines).toContain(`tessera_speculation_tokens_total{outcome="accepted"} ${accepted}`);
      expect(lines).toContain("# TYPE tessera_speculation_tokens_total counter");
    }
    const { app } = createOpenAiApp(plain);
    expect(await (await app.request("/metrics")).text()).not.toContain("speculation");
  });

  it("refuses a draft with other tokens, and a choice that does not fit together", async () => {
    const loaded = randomModel();
    const draft = scriptedModel([["\n", "It is", " sunny."]], 128);
    const open = async (speculation: SpeculationChoice): Promise<void> => {
      await using _ = await openTextService(runtime, loaded, { id: "m", speculation });
    };
    await expect(open({ way: "draft", draft })).rejects.toThrow(
      /its token \d+ is .*; take a draft with the same tokenizer/,
    );
    await expect(open({ way: "bild" })).rejects.toThrow("bild needs a draft model");
    await expect(open({ way: "ngram", draft: loaded })).rejects.toThrow("n-gram lookup uses no draft model");
  });
});
