import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError, DataError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import {
  type ChatMessage,
  ChatTemplate,
  readChatTemplates,
  type Tokenizer,
  tokenizerFromJson,
  tokenizerFromSentencePiece,
  trainByteLevelBpe,
} from "../../tokenizers/index.js";
import type { ChatBody } from "../example.js";
import { plainTemplate } from "./plain-template.js";
import { ExampleRenderer, type RenderOptions } from "./renderer.js";
import { encodeTargets } from "./token-targets.js";

const sharedData = new URL("../../../../shared/data/", import.meta.url);
const lacksData = !existsSync(sharedData);

const marks = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"];
const turns = ["<start_of_turn>", "<end_of_turn>"];
const own = trainByteLevelBpe(
  [
    "user assistant model system [INST] [/INST] the quick brown fox jumps over the lazy dog\n\n  ### Response:\n".repeat(
      4,
    ),
  ],
  { vocabSize: 400, specialTokens: [...marks, ...turns], pretokenizer: "gpt2" },
);

interface Shape {
  readonly source: string;
  /** The assistant's words as the template writes them, with what ends them. */
  readonly learned: (content: string) => string;
  /** The last turn ends otherwise. */
  readonly last?: (content: string) => string;
}

/** Shapes of templates that models have, without their error checks. */
const shapes: Readonly<Record<string, Shape>> = {
  chatml: {
    source:
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    learned: (content) => `${content}<|im_end|>`,
  },
  llama2: {
    source:
      "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token + '[INST] ' + m.content | trim + ' [/INST]' }}" +
      "{% elif m.role == 'assistant' %}{{ ' ' + m.content | trim + ' ' + eos_token }}{% endif %}{% endfor %}",
    learned: (content) => ` ${content.trim()} </s>`,
  },
  llama3: {
    source:
      "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
    learned: (content) => `${content.trim()}<|eot_id|>`,
  },
  mistral: {
    source:
      "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}" +
      "{% else %}{{ ' ' + m.content | trim + eos_token }}{% endif %}{% endfor %}",
    learned: (content) => ` ${content.trim()}</s>`,
  },
  gemma: {
    source:
      "{{ bos_token }}{% for m in messages %}{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\\n' + m.content | trim" +
      " + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}",
    learned: (content) => `${content.trim()}<end_of_turn>`,
  },
  zephyr: {
    source:
      "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + eos_token + '\\n' }}{% if loop.last and add_generation_prompt %}" +
      "{{ '<|assistant|>\\n' }}{% endif %}{% endfor %}",
    learned: (content) => `${content}</s>`,
  },
  // as reasoning models: earlier thoughts are left out, and answering begins with one
  thinking: {
    source:
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + (m.content if loop.last else m.content.split('</think>')[-1]) + '<|im_end|>\\n' }}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>' }}{% endif %}",
    learned: (content) => `${content.split("</think>").at(-1)}<|im_end|>`,
    last: (content) => `${content}<|im_end|>`,
  },
  marked: {
    source:
      "{% for m in messages %}<|im_start|>{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}" +
      "{% else %}{{ m.content }}<|im_end|>{% endif %}{{ '\\n' }}{% endfor %}",
    learned: (content) => `${content}<|im_end|>`,
  },
};

const specials = { bos_token: "<s>", eos_token: "</s>" };
const withTemplate = (source: string, tokenizer: Tokenizer = own): RenderOptions => ({
  tokenizer,
  marks: { prefix: [], suffix: [] },
  template: new ChatTemplate(source, specials),
});

/** The text of the marked tokens, read in its place among the others. */
function learned(tokenizer: Tokenizer, { ids, targets }: { ids: Int32Array; targets: Uint8Array }): string {
  const decoder = tokenizer.streamDecoder({ keepSpecialTokens: true });
  const pieces = Array.from(ids, (id) => decoder.push(id));
  return pieces.filter((_, i) => targets[i] === 1).join("");
}

const chat = (...messages: ChatMessage[]): ChatBody => ({ kind: "chat", messages, style: "conversation" });

/** A chat of a few turns with edges that tokenizers trip over. */
function randomChat(rng: Rng): ChatBody {
  const words = [
    "the",
    " fox",
    "\n",
    "\n\n",
    "  ",
    "é",
    "世界",
    "👋🏽",
    "###",
    " \t",
    "1+1",
    "quick",
    " [INST]",
    "Ω.",
    "\r\n",
  ];
  const text = (): string =>
    `a${Array.from({ length: 1 + rng.below(8) }, () => words[rng.below(words.length)]!).join("")}z`;
  const edges = (): string => ["", " ", "\n", "\n\n "][rng.below(4)]!;
  const messages = Array.from({ length: 1 + rng.below(3) }, () => [
    { role: "user", content: text() },
    { role: "assistant", content: edges() + text() + edges() },
  ]);
  return chat(...messages.flat());
}

const answers = ({ messages }: ChatBody): string[] =>
  messages.filter(({ role }) => role === "assistant").map(({ content }) => String(content));

describe.each(Object.entries(shapes))("ExampleRenderer with a template of the shape of %s", (_, shape) => {
  it("marks exactly what the assistant wrote and the end of its turns, on random chats", () => {
    const renderer = new ExampleRenderer(withTemplate(shape.source));
    const rng = new Rng(7);
    for (let i = 0; i < 60; i++) {
      const body = randomChat(rng);
      const wrote = answers(body);
      const last = (shape.last ?? shape.learned)(wrote.pop()!);
      expect(learned(own, renderer.render(body))).toBe(wrote.map(shape.learned).join("") + last);
    }
  });

  it("learns the last answer alone, and none of weight 0", () => {
    const body = chat(
      { role: "user", content: "one" },
      { role: "assistant", content: "<think>hm</think>two" },
      { role: "user", content: "three" },
      { role: "assistant", content: "four" },
    );
    const { source, learned: words } = shape;
    const last = new ExampleRenderer({ ...withTemplate(source), lossOn: "last" }).render(body);
    expect(learned(own, last)).toBe(words("four"));
    const first = new ExampleRenderer(withTemplate(source)).render({ ...body, unlearned: [3] });
    expect(learned(own, first)).toBe(words("<think>hm</think>two"));
    const all = new ExampleRenderer({ ...withTemplate(source), lossOn: "all" });
    expect(all.render(body).targets.every((mark) => mark === 1)).toBe(true);
    const masked = all.render({ ...body, unlearned: [1] });
    expect(learned(own, masked)).toContain(words("four"));
    expect(masked.targets.filter((mark) => mark === 0)).toHaveLength(first.targets.filter((mark) => mark === 1).length);
  });
});

describe("ExampleRenderer", () => {
  it.skipIf(lacksData)("is exact with SmolLM's tokenizer and template (needs ../shared/data)", () => {
    const read = (name: string): string => readFileSync(new URL(`tok-smollm/${name}`, sharedData), "utf8");
    const tokenizer = tokenizerFromJson(read("tokenizer.json"));
    const template = readChatTemplates(JSON.parse(read("tokenizer_config.json"))).get("default")!;
    const renderer = new ExampleRenderer({ tokenizer, marks: { prefix: [], suffix: [] }, template });
    const rng = new Rng(3);
    for (let i = 0; i < 100; i++) {
      const body = randomChat(rng);
      expect(learned(tokenizer, renderer.render(body))).toBe(
        answers(body)
          .map((text) => `${text}<|im_end|>`)
          .join(""),
      );
    }
  });

  it.skipIf(lacksData)("is exact with Llama 2's SentencePiece vocabulary (needs ../shared/data)", () => {
    const tokenizer = tokenizerFromSentencePiece(readFileSync(new URL("tok-llama2-spm/tokenizer.model", sharedData)));
    for (const name of ["llama2", "mistral", "zephyr"]) {
      const shape = shapes[name]!;
      const renderer = new ExampleRenderer(withTemplate(shape.source, tokenizer));
      const rng = new Rng(5);
      for (let i = 0; i < 40; i++) {
        const body = randomChat(rng);
        expect(learned(tokenizer, renderer.render(body))).toBe(answers(body).map(shape.learned).join(""));
      }
    }
  });

  it("writes texts and completions between the model's marks", () => {
    const [begin, end] = [own.tokenId("<s>")!, own.tokenId("</s>")!];
    const options = { tokenizer: own, marks: { prefix: [begin], suffix: [end] } };
    const text = new ExampleRenderer(options).render({ kind: "text", text: "the <s>fox" });
    expect([...text.ids]).toEqual([begin, ...own.encode("the <s>fox"), end]);
    expect(text.targets.every((mark) => mark === 1)).toBe(true);
    const body = { kind: "completion", prompt: "the quick\n", completion: "\nfox" } as const;
    const completion = new ExampleRenderer(options).render(body);
    expect(learned(own, completion)).toBe("\nfox</s>");
    expect([...completion.ids]).toEqual([begin, ...own.encode("the quick\n"), ...own.encode("\nfox"), end]);
    const all = new ExampleRenderer({ ...options, lossOn: "all" }).render(body);
    expect(all.targets.every((mark) => mark === 1)).toBe(true);
  });

  it("has a template of plain words for models without one", () => {
    const options = { tokenizer: own, marks: { prefix: [own.tokenId("<s>")!], suffix: [own.tokenId("</s>")!] } };
    const body = chat(
      { role: "system", content: "Be brief." },
      { role: "user", content: "fox" },
      { role: "assistant", content: "dog" },
      { role: "user", content: "the" },
      { role: "assistant", content: "end" },
    );
    const renderer = new ExampleRenderer(options);
    const conversation = renderer.render(body);
    expect(conversation.text).toBe(
      "<s>### System:\nBe brief.\n\n### User:\nfox\n\n### Assistant:\ndog</s>\n\n### User:\nthe\n\n### Assistant:\nend</s>",
    );
    expect(learned(own, conversation)).toBe("dog</s>end</s>");
    const prompt = renderer
      .templateFor("conversation")
      .render(body.messages.slice(0, 2), { addGenerationPrompt: true });
    expect(conversation.text.startsWith(`${prompt}dog`)).toBe(true);
    expect(renderer.render({ ...body, style: "instruction" }).text).toContain(
      "### Instruction:\nfox\n\n### Response:\ndog</s>",
    );
    expect(() => renderer.render(chat({ role: "tool", content: "x" }))).toThrow(/cannot have the role tool/);
    expect(() => plainTemplate("conversation", own, { prefix: [], suffix: [] })).toThrow(ConfigError);
    expect(() => plainTemplate("conversation", own, { prefix: [], suffix: [own.encode("a")[0]!] })).toThrow(
      /no special token/,
    );
  });

  it("does not let a template leave out tools, and writes them as text where one asks for it", () => {
    const body: ChatBody = {
      ...chat(
        { role: "user", content: "weather?" },
        {
          role: "assistant",
          content: "",
          tool_calls: [{ type: "function", function: { name: "w", arguments: { a: 1 } } }],
        },
        { role: "tool", content: "sun" },
        { role: "tool", content: "rain" },
        { role: "assistant", content: "mixed" },
      ),
      tools: [{ type: "function", function: { name: "w" } }],
      unlearned: [4],
    };
    const options = withTemplate(shapes.chatml!.source);
    expect(() => new ExampleRenderer(options).render(body)).toThrow(/does not write tools, .*tools: "text"/);
    const { tools: _, ...untold } = body;
    expect(() => new ExampleRenderer(options).render(untold)).toThrow(/does not write tool_calls/);
    const written = new ExampleRenderer({ ...options, tools: "text" }).render(body);
    const call = '<tool_call>\n{"name":"w","arguments":{"a":1}}\n</tool_call>';
    expect(learned(own, written)).toBe(`${call}<|im_end|>`);
    expect(written.text).toContain('<tools>\n{"type":"function","function":{"name":"w"}}\n</tools><|im_end|>');
    expect(written.text).toContain(
      "<|im_start|>user\n<tool_response>\nsun\n</tool_response>\n<tool_response>\nrain\n</tool_response><|im_end|>",
    );
  });

  it("writes thoughts where the template has a place for them, else before the answer", () => {
    const body = chat({ role: "user", content: "fox" }, { role: "assistant", content: "dog", reasoning_content: "hm" });
    const plain = new ExampleRenderer(withTemplate(shapes.chatml!.source)).render(body);
    expect(learned(own, plain)).toBe("<think>\nhm\n</think>\n\ndog<|im_end|>");
    const knows = "{% for m in messages %}{{ m.reasoning_content or '' }}|{{ m.content }}<|im_end|>{% endfor %}";
    expect(new ExampleRenderer(withTemplate(knows)).render(body).text).toBe("|fox<|im_end|>hm|dog<|im_end|>");
  });

  it("passes on what the template says when it refuses", () => {
    const renderer = new ExampleRenderer(withTemplate("{{ raise_exception('no cats') }}"));
    expect(() => renderer.render(chat({ role: "user", content: "x" }))).toThrow(/refuses these messages: no cats/);
  });
});

describe("encodeTargets", () => {
  it("cuts a token that reaches over a border", () => {
    const text = "thethe quick";
    const { ids, targets } = encodeTargets(own, text, [{ start: 5, end: 8 }], {});
    expect(learned(own, { ids, targets })).toBe("e q");
    expect(own.decode(ids)).toBe(text);
    expect(ids.length).toBeGreaterThan(own.encode(text).length);
  });

  it.skipIf(lacksData)("refuses to cut where the tokenizer would read another text (needs ../shared/data)", () => {
    const tokenizer = tokenizerFromSentencePiece(readFileSync(new URL("tok-llama2-spm/tokenizer.model", sharedData)));
    expect(() => encodeTargets(tokenizer, "Answer", [{ start: 3, end: 6 }], {})).toThrow(DataError);
    expect(() => encodeTargets(tokenizer, "Answer", [{ start: 3, end: 6 }], {})).toThrow(/border of it at "Ans\|wer"/);
  });
});
