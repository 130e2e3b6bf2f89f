/** @file A conversation as it is typed, with a model whose weights make it answer. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { scriptedModel } from "../../test/support/served-model.js";
import { ChatSession } from "../pipeline/chat-session.js";
import { type OpenTextService, openTextService } from "../pipeline/text-service.js";
import { Runtime } from "../runtime/index.js";
import { chatLoop } from "./chat-loop.js";

let folder: string;
let runtime: Runtime;
let service: OpenTextService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-chat-"));
  runtime = await Runtime.open({ numThreads: 1 });
  service = await openTextService(runtime, scriptedModel([["\n", "It is", " sunny."]], 128), { id: "m" });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await runtime.close();
  await rm(folder, { recursive: true });
});

const newSession = () =>
  new ChatSession(service, { model: "m", sampling: { temperature: 0, topP: 1 }, seed: 0, stop: [] });

/** What is said to these lines, prompts aside. */
async function talk(session: ChatSession, ...lines: string[]): Promise<string[]> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const said = readAll(output);
  input.end(lines.map((line) => `${line}\n`).join(""));
  await chatLoop(session, { input, output });
  output.end();
  return (await said).split("\n").map((line) => line.replace(/^(> )+/, ""));
}

const answer = { role: "assistant", content: "It is sunny." };

it("answers with the conversation before it in mind", async () => {
  const session = newSession();
  expect(await talk(session, "Hello", "", "Again")).toEqual(["It is sunny.", "It is sunny.", ""]);
  const asked = (content: string) => ({ role: "user", content });
  expect(session.messages).toEqual([asked("Hello"), answer, asked("Again"), answer]);
});

it("follows commands, and goes on after mistakes", async () => {
  const session = newSession();
  const path = join(folder, "chat.json");
  const said = await talk(
    session,
    "/system Be kind.",
    "Hi",
    `/save ${path}`,
    "/nope",
    "/clear",
    "/load",
    "/exit",
    "Hi",
  );
  expect(said).toEqual([
    "system message set",
    "It is sunny.",
    `3 messages in ${path}`,
    "there is no /nope; /help says what there is",
    "forgotten",
    "which file? /load <file>",
    "",
  ]);
  expect(session.messages).toEqual([{ role: "system", content: "Be kind." }]);
  expect(JSON.parse(await readFile(path, "utf8"))).toHaveLength(3);
  const other = newSession();
  await writeFile(join(folder, "bad.json"), '[{"role":"cat","content":1}]');
  const loaded = await talk(
    other,
    `/load ${join(folder, "bad.json")}`,
    `/load ${folder}/none`,
    `/load ${path}`,
    "/help",
  );
  expect(loaded[0]).toContain("holds no chat");
  expect(loaded.join("\n")).toContain("none cannot be read");
  expect(loaded.join("\n")).toContain(`3 messages from ${path}`);
  expect(loaded.join("\n")).toContain("/system [text]");
  expect(other.messages.at(-1)).toEqual(answer);
});

it("says when the conversation is longer than the context, and forgets the question", async () => {
  const session = newSession();
  const [said] = await talk(session, "what ".repeat(200));
  expect(said).toContain("the context holds 128");
  expect(session.messages).toEqual([]);
});

it.each([
  [false, "oldest messages are no longer read: "],
  [true, "oldest messages are no longer read but for a summary: "],
])("reads the latest of a long conversation, says so, and keeps all of it (summarize %s)", async (summarize, said) => {
  const notes: string[] = [];
  const rendered: string[] = [];
  await using long = await openTextService(runtime, scriptedModel([["\n", "It is", " sunny."]], 512), { id: "m" });
  const watched: OpenTextService = {
    ...long,
    generate: (request) => {
      if (request.prompt.kind === "chat") rendered.push(request.prompt.text);
      return long.generate(request);
    },
  };
  const onNote = (note: string) => void notes.push(note);
  const session = new ChatSession(watched, {
    ...{ model: "m", sampling: { temperature: 0, topP: 1 }, seed: 0, stop: [], maxTokens: 8, summarize, onNote },
  });
  session.setSystem("Be kind.");
  for (let i = 0; i < 12; i++) {
    for await (const _ of session.send(`${"Hello? ".repeat(12)}Number ${i}?`, new AbortController().signal));
    const prompt = rendered.at(-1)!;
    expect(await service.countTokens({ kind: "chat", text: prompt })).toBeLessThanOrEqual(512 - 8);
    expect(prompt).toContain("Be kind.");
    expect(prompt).toContain(`Number ${i}?`);
  }
  expect(session.messages).toHaveLength(1 + 24);
  expect(notes.length).toBeGreaterThan(1);
  // a few exchanges leave at once
  expect(notes.length).toBeLessThan(8);
  for (const note of notes) expect(note).toContain(said);
  expect(rendered.at(-1)!.includes("Earlier in this conversation: It is sunny.")).toBe(summarize);
  session.clear();
  for await (const _ of session.send("Hi", new AbortController().signal));
  expect(rendered.at(-1)).not.toContain("Earlier");
});

it("keeps what was written when an answer is ended", async () => {
  const session = newSession();
  const stop = new AbortController();
  for await (const _ of session.send("Hi", stop.signal)) stop.abort();
  expect(session.messages.at(-1)).toEqual({ role: "assistant", content: "It is" });
});
