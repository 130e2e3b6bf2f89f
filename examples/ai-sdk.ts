/** @file A model of Tessera in the Vercel AI SDK, in this process: `npx tsx examples/ai-sdk.ts`. */

import { generateObject, streamText } from "ai";
import { loadModel, Runtime } from "tessera-llm";
import { createTessera } from "tessera-llm/ai-sdk";
import { openTextService } from "tessera-llm/pipeline";
import { z } from "zod";

const runtime = await Runtime.open();
const loaded = await loadModel("../shared/data/llm-stories260k/stories260K.bin");
const service = await openTextService(runtime, loaded, { id: "stories" });
const tessera = createTessera(service);

// this model has no chat template; one that has is tessera("stories")
const model = tessera.completionModel("stories");
const { text, usage } = streamText({ model, prompt: "Once upon a time", temperature: 0, maxOutputTokens: 40 });
console.log(`Once upon a time${await text} (${(await usage).outputTokens} tokens)`);

const schema = z.object({
  animal: z.enum(["cat", "dog", "bird"]),
  age: z.int().min(1).max(9),
  name: z.string().max(12),
});
const { object } = await generateObject({ model, prompt: "Lily had a pet.", schema, temperature: 0 });
console.log(`${object.name} is a ${object.animal} of ${object.age}: ${JSON.stringify(object)}`);

await service[Symbol.asyncDispose]();
await runtime.close();
