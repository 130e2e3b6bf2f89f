import { describe, expect, it } from "vitest";
import type { AnswerDelta, ToolCallFormatName } from "./index.js";
import { toolCallFormatOf, toolCallFormats } from "./index.js";

const names = new Set(["weather", "time"]);

/** Text and calls of an answer that comes in pieces of `size` characters; a number of text deltas does not matter. */
function read(format: ToolCallFormatName, text: string, size: number) {
  const parser = toolCallFormats[format].parser(names);
  const deltas: AnswerDelta[] = [];
  for (let at = 0; at < text.length; at += size) deltas.push(...parser.push(text.slice(at, at + size)));
  deltas.push(...parser.end());
  const calls: { name: string; arguments: string }[] = [];
  let content = "";
  for (const delta of deltas) {
    if (delta.type === "text") content += delta.text;
    else if (delta.type === "call") expect(calls.push({ name: delta.name, arguments: "" })).toBe(delta.index + 1);
    else calls[delta.index]!.arguments += delta.text;
  }
  return { content, calls, numComplete: parser.numComplete };
}

const weather = { name: "weather", arguments: '{"city": "Paris \\"é\\" }", "days": [1, {"a": "]"}]}' };
const time = { name: "time", arguments: "{}" };
const json = (key: string, call: typeof weather) => `{"name": "${call.name}", "${key}": ${call.arguments}}`;

const cases: readonly (readonly [ToolCallFormatName, string, string, readonly (typeof weather)[]])[] = [
  ["hermes", "Just text, a < b.\n", "Just text, a < b.\n", []],
  ["hermes", `<tool_call>\n${json("arguments", weather)}\n</tool_call>`, "", [weather]],
  [
    "hermes",
    `Let me see.\n<tool_call>\n${json("arguments", weather)}\n</tool_call>\n<tool_call>${json("arguments", time)}</tool_call>\n`,
    "Let me see.",
    [weather, time],
  ],
  [
    "hermes",
    `<tool_call>{"arguments": {"x": 1}, "name": "time"}</tool_call>`,
    "",
    [{ name: "time", arguments: '{"x": 1}' }],
  ],
  [
    "hermes",
    `<tool_call>{"name": "time", "arguments": "{\\"x\\": 1}"}</tool_call>`,
    "",
    [{ name: "time", arguments: '{"x": 1}' }],
  ],
  ["hermes", `<tool_call>{"name": "time"}</tool_call>`, "", [time]],
  ["hermes", `<tool_call>{"name": "time", "id": 7, "arguments": {}}</tool_call> done`, " done", [time]],
  // what is no call stays text
  ["hermes", "<tool_call>not json</tool_call>", "<tool_call>not json</tool_call>", []],
  [
    "hermes",
    '<tool_call>{"name": "nope", "arguments": {}}</tool_call>',
    '<tool_call>{"name": "nope", "arguments": {}}</tool_call>',
    [],
  ],
  ["hermes", "<tool_call>{'name': 'time'}", "<tool_call>{'name': 'time'}", []],
  ["hermes", '<tool_call>\n{"name": "ti', '<tool_call>\n{"name": "ti', []],
  ["hermes", "a <tool_c", "a <tool_c", []],
  ["llama3", json("parameters", weather), "", [weather]],
  ["llama3", `<|python_tag|>${json("parameters", weather)}; ${json("parameters", time)}`, "", [weather, time]],
  ["llama3", '{"answer": 42}', '{"answer": 42}', []],
  ["llama3", "  Plain.", "  Plain.", []],
  ["mistral", `[TOOL_CALLS][${json("arguments", weather)}, ${json("arguments", time)}]`, "", [weather, time]],
  ["mistral", "[TOOL", "[TOOL", []],
];

describe("tool calls", () => {
  it.each(cases)("%s: %s", (format, text, content, calls) => {
    for (const size of [1, 2, 7, 1000]) {
      expect(read(format, text, size)).toEqual({ content, calls, numComplete: calls.length });
    }
  });

  it("give arguments as they come, before the call has ended", () => {
    const parser = toolCallFormats.hermes.parser(names);
    expect(parser.push('<tool_call>{"name": "weather", "arguments": {"ci')).toEqual([
      { type: "call", index: 0, name: "weather" },
      { type: "arguments", index: 0, text: '{"ci' },
    ]);
    expect(parser.push('ty": "Oslo"}')).toEqual([{ type: "arguments", index: 0, text: 'ty": "Oslo"}' }]);
    expect(parser.numComplete).toBe(0);
    expect(parser.push("}")).toEqual([]);
    expect(parser.numComplete).toBe(1);
  });

  it("that were cut off keep what came", () => {
    expect(read("hermes", '<tool_call>{"name": "weather", "arguments": {"city": "Os', 3)).toEqual({
      content: "",
      calls: [{ name: "weather", arguments: '{"city": "Os' }],
      numComplete: 0,
    });
  });

  it.each(Object.entries(toolCallFormats))("%s reads what its opening begins", (key, format) => {
    expect(format.name).toBe(key);
    const closing = { hermes: "</tool_call>", llama3: "", mistral: "]" }[format.name];
    const one = `${format.opening("time")} {"zone": "UTC"}}${closing}`;
    const any = `${format.opening()}time", "arguments": {"zone": "UTC"}}${closing}`;
    for (const text of [one, any]) {
      expect(read(key as ToolCallFormatName, text, 4)).toEqual({
        content: "",
        calls: [{ name: "time", arguments: '{"zone": "UTC"}' }],
        numComplete: 1,
      });
    }
  });

  it("are told by the chat template", () => {
    expect(toolCallFormatOf("{{ '<tool_call>' }}")).toBe("hermes");
    expect(toolCallFormatOf("{{ '[TOOL_CALLS]' }}")).toBe("mistral");
    expect(toolCallFormatOf("Environment: ipython")).toBe("llama3");
    expect(toolCallFormatOf("[TOOL_CALLS]name[ARGS]")).toBeUndefined();
    expect(toolCallFormatOf("<|im_start|>")).toBeUndefined();
  });
});
