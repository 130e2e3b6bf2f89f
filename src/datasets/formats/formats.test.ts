import { describe, expect, it } from "vitest";
import { z } from "zod";
import { DataError, UnsupportedError } from "../../base/errors.js";
import { detectFormat } from "../detect.js";
import { issuesOf } from "../issues.js";
import { dataFormats } from "./index.js";

const call = { type: "function", function: { name: "f", arguments: { a: 1 } } };
const tool = { name: "f", parameters: { type: "object" } };
const wrapped = { type: "function", function: tool };
const user = { role: "user", content: "hi" };
const chat = (...messages: unknown[]) => ({ kind: "chat", messages, style: "conversation" });

const rows: [keyof typeof dataFormats, Record<string, unknown>, unknown][] = [
  [
    "alpaca",
    { instruction: "Add", input: "1 2", output: "3", system: "Count.", history: [["0", "1"]] },
    {
      kind: "chat",
      messages: [
        { role: "system", content: "Count." },
        { role: "user", content: "0" },
        { role: "assistant", content: "1" },
        { role: "user", content: "Add\n1 2" },
        { role: "assistant", content: "3" },
      ],
      style: "instruction",
    },
  ],
  [
    "alpaca",
    { instruction: "Hi", input: null, output: "Ho", system: "", history: null },
    {
      kind: "chat",
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Ho" },
      ],
      style: "instruction",
    },
  ],
  [
    "sharegpt",
    {
      conversations: [
        { from: "human", value: "hi" },
        { from: "function_call", value: '{"name": "f", "arguments": "{\\"a\\": 1}"}' },
        { from: "observation", value: "2" },
        { from: "gpt", value: "done" },
      ],
      system: "Be brief.",
      tools: JSON.stringify([tool]),
    },
    {
      ...chat(
        { role: "system", content: "Be brief." },
        user,
        { role: "assistant", content: "", tool_calls: [call] },
        { role: "tool", content: "2" },
        { role: "assistant", content: "done" },
      ),
      tools: [wrapped],
    },
  ],
  [
    "llamafactory",
    {
      messages: [
        { role: "user", content: [{ type: "text", value: "hi" }], loss_weight: 0 },
        {
          role: "assistant",
          content: [
            { type: "reasoning", value: "hm" },
            { type: "tool_call", value: '{"name": "f", "arguments": {"a": 1}}' },
          ],
          loss_weight: 0,
        },
        { role: "tool", content: [{ type: "text", value: "2" }] },
        { role: "assistant", content: [{ type: "text", value: "done" }], loss_weight: 1 },
      ],
      tools: "",
    },
    {
      ...chat(
        user,
        { role: "assistant", content: "", reasoning_content: "hm", tool_calls: [call] },
        { role: "tool", content: "2" },
        { role: "assistant", content: "done" },
      ),
      unlearned: [1],
    },
  ],
  [
    "messages",
    {
      messages: [
        {
          role: "developer",
          content: [
            { type: "text", text: "Be " },
            { type: "text", text: "brief." },
          ],
        },
        { ...user, name: "Ann" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "1", ...call, function: { name: "f", arguments: '{"a": 1}' } }],
          weight: 0,
        },
        { role: "tool", content: "2", tool_call_id: "1" },
        { role: "assistant", content: "done", weight: 1 },
      ],
      tools: [wrapped],
    },
    {
      ...chat(
        { role: "system", content: "Be brief." },
        { ...user, name: "Ann" },
        { role: "assistant", content: "", tool_calls: [{ id: "1", ...call }] },
        { role: "tool", content: "2", tool_call_id: "1" },
        { role: "assistant", content: "done" },
      ),
      tools: [wrapped],
      unlearned: [2],
    },
  ],
  [
    "oasst",
    { message_id: "b", parent_id: "a", message_tree_id: "a", text: "ho", role: "assistant", rank: 0, lang: "en" },
    {
      ...{ kind: "tree-message", id: "b", parentId: "a", treeId: "a", role: "assistant", text: "ho", rank: 0 },
      isDeleted: false,
    },
  ],
  ["prompt-completion", { prompt: "1+1=", completion: "2" }, { kind: "completion", prompt: "1+1=", completion: "2" }],
  [
    "prompt-completion",
    { prompt: [user, { role: "assistant", content: "ho" }, user], completion: [{ role: "assistant", content: "bye" }] },
    {
      ...chat(user, { role: "assistant", content: "ho" }, user, { role: "assistant", content: "bye" }),
      unlearned: [1],
    },
  ],
  ["text", { text: "Once" }, { kind: "text", text: "Once" }],
];

describe("formats", () => {
  it.each(rows)("%s reads %j and is recognised", (name, row, body) => {
    expect(dataFormats[name].schema.parse(row)).toEqual(body);
    expect(detectFormat(row, "a.json").format).toBe(dataFormats[name]);
  });

  it("are each shown here", () => {
    expect([...new Set(rows.map(([name]) => name))]).toEqual(Object.keys(dataFormats));
  });

  it.each([
    ["alpaca", { instruction: 5, output: "x", history: [["a"]] }, ["instruction", "history[0]"]],
    [
      "sharegpt",
      {
        conversations: [
          { from: "cat", value: "x" },
          { from: "function_call", value: "f(1)" },
        ],
      },
      ["conversations[0].from", "conversations[1].value"],
    ],
    ["sharegpt", { conversations: [], tools: "[{" }, ["tools"]],
    [
      "messages",
      { messages: [{ role: "user", content: [{ type: "image_url", text: "x" }] }] },
      ["messages[0].content[0].type"],
    ],
    ["messages", { messages: [{ role: "assistant", content: "x", weight: 0.5 }] }, ["messages[0].weight"]],
    [
      "messages",
      { messages: [{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: "[" } }] }] },
      ["messages[0].tool_calls[0].function.arguments"],
    ],
    [
      "llamafactory",
      { messages: [{ role: "user", content: [{ type: "reasoning", value: "x" }], loss_weight: 1 }] },
      ["messages[0].loss_weight", "messages[0].content[0].type"],
    ],
    ["prompt-completion", { prompt: "a", completion: [] }, ["completion"]],
    ["text", {}, ["text"]],
  ] as const)("%s says where %j is wrong", (name, row, paths) => {
    const { error } = dataFormats[name].schema.safeParse(row);
    expect(issuesOf(error!).faults.map(({ path }) => path)).toEqual(paths);
  });

  it("refuse data for other training, with what they are for", () => {
    expect(() => detectFormat({ prompt: "a", chosen: "b", rejected: "c" }, "a.json")).toThrow(UnsupportedError);
    expect(() => detectFormat({ prompt: "a", chosen: "b", rejected: "c" }, "a.json")).toThrow(
      /a.json: dpo data .*DPO, ORPO/,
    );
    for (const label of ["label", "kto_tag"]) {
      expect(() => detectFormat({ messages: [], [label]: true }, "a.json")).toThrow(/kto data .*KTO/);
    }
    expect(detectFormat({ prompt: "a", completion: "b", label: 3 }, "a.json").format.name).toBe("prompt-completion");
    expect(() => detectFormat({ question: "a" }, "a.json")).toThrow(DataError);
    expect(() => detectFormat({ question: "a" }, "a.json")).toThrow(
      /rows have the fields question.*alpaca \(instruction, input/,
    );
  });
});

it("of a union, the branch that went deepest is reported", () => {
  const schema = z.object({ a: z.union([z.string(), z.array(z.object({ b: z.number() }))]) });
  const issues = (value: unknown) => issuesOf(schema.safeParse(value).error!).faults;
  expect(issues({ a: [{ b: "x" }] })).toEqual([
    { path: "a[0].b", message: expect.stringContaining("expected number") },
  ]);
  expect(issues({ a: 1 })).toEqual([
    { path: "a", message: "expected string, received number, or expected array, received number" },
  ]);
});
