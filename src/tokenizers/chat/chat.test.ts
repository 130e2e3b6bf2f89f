import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError, ConfigError, DataError, UnsupportedError } from "../../base/errors.js";
import {
  type ChatMessage,
  ChatTemplate,
  completionMask,
  readChatTemplates,
  renderChat,
  renderCompletions,
} from "./index.js";
import { strftime } from "./strftime.js";

interface GoldenCase {
  readonly template: string;
  readonly chat: string;
  readonly options: {
    readonly add_generation_prompt?: boolean;
    readonly continue_final_message?: boolean;
    readonly tools?: Record<string, unknown>[];
    readonly documents?: Record<string, unknown>[];
    readonly variables?: Record<string, unknown>;
  };
  readonly text?: string;
  readonly spans?: [number, number][];
  readonly refused?: string;
}

/** Made by tools/golden/chat.py with transformers 5.18.0. */
const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/chat/rendered.json", import.meta.url), "utf8"),
) as {
  tokens: Record<string, string>;
  variables: Record<string, unknown>;
  templates: Record<string, string>;
  chats: Record<string, ChatMessage[]>;
  cases: GoldenCase[];
};

function optionsOf({ options }: GoldenCase) {
  return {
    addGenerationPrompt: options.add_generation_prompt ?? false,
    continueFinalMessage: options.continue_final_message ?? false,
    ...(options.tools && { tools: options.tools }),
    ...(options.documents && { documents: options.documents }),
    variables: { ...golden.variables, ...options.variables },
  };
}

describe.each(Object.keys(golden.templates))("renderChat with the %s template", (name) => {
  const template = new ChatTemplate(golden.templates[name]!, golden.tokens);
  it.each(golden.cases.filter((c) => c.template === name))("gives what transformers gives: $chat $options", (c) => {
    const render = (): string => renderChat(template, golden.chats[c.chat]!, optionsOf(c));
    if (c.refused === undefined) expect(render()).toBe(c.text);
    else expect(render).toThrow(DataError);
  });
});

describe("renderCompletions", () => {
  const marked = golden.cases.filter((c) => c.spans !== undefined && Object.keys(c.options).length === 0);
  it.each(marked)("finds the generation blocks that transformers finds: $template $chat", (c) => {
    const { text, spans } = renderCompletions(
      new ChatTemplate(golden.templates[c.template]!, golden.tokens),
      golden.chats[c.chat]!,
      { variables: golden.variables },
    );
    expect(text).toBe(c.text);
    expect(spans.map(({ start, end }) => [start, end])).toEqual(c.spans);
  });

  it.each(["chatml", "llama2", "phi3-like", "mistral", "gemma", "llama3"])(
    "tells by prefixes what the assistant wrote: %s",
    (name) => {
      // phi-3 ends a chat with a token that further messages push away
      const source = (golden.templates[name] ?? golden.templates.phi3!).replace("{% else %}{{ eos_token }}", "");
      const template = new ChatTemplate(source, golden.tokens);
      const rendered = renderCompletions(template, golden.chats.turns!, { variables: golden.variables });
      expect(rendered.spans).toHaveLength(2);
      const written = rendered.spans.map(({ start, end }) => rendered.text.slice(start, end));
      expect(written[0]).toContain("Good day.");
      expect(written[1]).toContain("So long");
      expect(written.join()).not.toMatch(/Bye|assistant|model|user/);
      const mask = completionMask(rendered);
      expect(mask.reduce((sum, bit) => sum + bit, 0)).toBe(written.join("").length);
      expect([...rendered.text].length).toBeGreaterThan(written.join("").length);
    },
  );

  it("tells by difference what the assistant wrote where later messages change earlier ones", () => {
    // phi-3 ends a chat with a token that further messages push away
    const phi3 = new ChatTemplate(golden.templates.phi3!, golden.tokens);
    const ended = renderCompletions(phi3, golden.chats.turns!, { endTokens: ["<|end|>", "<|user|>"] });
    expect(ended.spans.map(({ start, end }) => ended.text.slice(start, end))).toEqual([
      " Good day.\n<|end|>",
      "So long<|end|>\n</s>",
    ]);
    // earlier thoughts are left out, and the prompt to answer begins with one
    const thinking =
      "{% for m in messages %}<{{ m.role }}>{{ m.content if loop.last else m.content.split('</think>')[-1] }}<end>{% endfor %}" +
      "{% if add_generation_prompt %}<assistant><think>{% endif %}";
    const thought = [
      { role: "user", content: "1+1" },
      { role: "assistant", content: "<think>one more</think>2" },
      { role: "user", content: "2+2" },
      { role: "assistant", content: "<think>two more</think>4" },
    ];
    const told = renderCompletions(thinking, thought, { endTokens: ["<end>"] });
    expect(told.spans.map(({ start, end }) => told.text.slice(start, end))).toEqual([
      "2<end>",
      "two more</think>4<end>",
    ]);
    expect(told.spans.map(({ message }) => message)).toEqual([1, 3]);
  });

  it("finds the messages that are asked for, in generation blocks too", () => {
    for (const name of ["chatml", "generation-dashes"]) {
      const { text, spans } = renderCompletions(
        new ChatTemplate(golden.templates[name]!, golden.tokens),
        golden.chats.turns!,
        { messages: [3] },
      );
      expect(spans).toHaveLength(1);
      expect(text.slice(spans[0]!.start, spans[0]!.end)).toMatch(/^So long<\|im_end\|>\n?$/);
    }
    const halves =
      "{% for m in messages %}{% generation %}a{% endgeneration %}{% generation %}b{% endgeneration %}{% endfor %}";
    expect(renderCompletions(halves, golden.chats.turns!).spans).toHaveLength(8);
    expect(() => renderCompletions(halves, golden.chats.turns!, { messages: [1] })).toThrow(
      /8 .* blocks for 2 messages/,
    );
  });

  it("refuses a template whose text around a message depends on it", () => {
    const template = "{{ messages[1].content }}{% for m in messages %}{{ m.content }}{% endfor %}";
    expect(() => renderCompletions(template, golden.chats.turns!)).toThrow(/characters of message 1 cannot be told/);
  });

  it("refuses messages that hold the marks", () => {
    const template = "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}";
    expect(() => renderCompletions(template, [{ role: "assistant", content: "\u{f5e4a}" }])).toThrow(DataError);
  });
});

describe("ChatTemplate", () => {
  it("says what the template says when it refuses", () => {
    expect(() => renderChat("{{ raise_exception('no ' + messages[0].role) }}", [{ role: "cat" }])).toThrow(/no cat/);
  });

  it("rejects what is no template", () => {
    expect(() => new ChatTemplate("{% if %}")).toThrow(CheckpointError);
  });

  it("gives templates the date", () => {
    const now = new Date(2024, 6, 6, 15, 4, 5);
    expect(renderChat("{{ strftime_now('%d %b %Y, %A %-d %B %H:%M:%S %I%p %j %y %%') }}", [], { now })).toBe(
      "06 Jul 2024, Saturday 6 July 15:04:05 03PM 188 24 %",
    );
    expect(() => strftime(now, "%Q")).toThrow(UnsupportedError);
  });

  it("does not both begin and continue a message", () => {
    expect(() => renderChat("", [], { addGenerationPrompt: true, continueFinalMessage: true })).toThrow(ConfigError);
    expect(() => renderChat("", [], { continueFinalMessage: true })).toThrow(DataError);
  });
});

describe("readChatTemplates", () => {
  const config = { bos_token: "<s>", eos_token: { content: "</s>", lstrip: false }, pad_token: null };

  it("reads one template, several, and the file beside them", () => {
    const one = readChatTemplates({ ...config, chat_template: "{{ bos_token }}{{ eos_token }}" });
    expect(one.get("default")?.render([])).toBe("<s></s>");
    const named = [
      { name: "default", template: "a" },
      { name: "tool_use", template: "b" },
    ];
    const several = readChatTemplates({ ...config, chat_template: named }, "c");
    expect([...several].map(([name, template]) => [name, template.source])).toEqual([
      ["default", "c"],
      ["tool_use", "b"],
    ]);
    expect(readChatTemplates(config).size).toBe(0);
  });

  it("rejects entries of another kind", () => {
    expect(() => readChatTemplates({ chat_template: 5 })).toThrow(CheckpointError);
    expect(() => readChatTemplates({ chat_template: "", bos_token: 5 })).toThrow(CheckpointError);
  });
});
