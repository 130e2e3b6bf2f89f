import { describe, expect, it } from "vitest";
import { askedOf, hasFormOf } from "./asked.js";
import { blocksOf } from "./blocks.js";
import { candidatesOf, type Found } from "./candidates.js";
import { type EvidenceOptions, evidence } from "./evidence.js";

const passage = (text: string, { path = "a.md", start = 0, headingPath = [] as string[], score = 1 } = {}): Found => ({
  chunk: { path, start, text, headingPath },
  score,
});
const texts = (question: string, text: string, options: EvidenceOptions = {}): string[] =>
  evidence(question, [passage(text)], { limit: 1, minCoverage: 0, ...options }).map((quote) => quote.text);

describe("a question", () => {
  it.each([
    ["When did the mill burn?", "In spring 1874 it burnt.", "The mill burnt with all its grain."],
    ["How many wheels has the mill?", "There are three of them.", "The wheels are of oak."],
    ["Who built the mill?", "It was built by Hanna Berg.", "It was built of brick."],
    ["Why was it left?", "Nobody came because of the flood.", "Nobody came."],
    ["磨坊什么时候烧毁？", "1874年烧毁。", "磨坊烧毁了。"],
    ["磨坊有多少个轮子？", "共三个。", "轮子是木头的。"],
    ["¿Cuándo ardió el molino?", "Ardió en marzo.", "El molino ardió."],
    ["¿Por qué lo dejaron?", "Fue debido a la crecida.", "Fue así."],
  ])("%s asks for a kind of answer", (question, answer, other) => {
    const { isShownIn } = askedOf(question);
    expect(isShownIn?.(answer)).toBe(true);
    expect(isShownIn?.(other)).toBe(false);
  });

  it("asks for what it does not say itself", () => {
    const { isShownIn } = askedOf("How many of the 40 mills were left?");
    expect(isShownIn?.("Of 40 mills some were left.")).toBe(false);
    expect(isShownIn?.("Of 40 mills 12 were left.")).toBe(true);
  });

  it("is about its other words", () => {
    expect(askedOf("How many wheels turn?").terms).toEqual(["wheel", "turn"]);
    expect(askedOf("¿Qué ruedas giran?").terms).toEqual(["rueda", "giran"]);
    expect(askedOf("磨坊在哪里？").terms).toEqual(["磨坊", "坊在"]);
    expect(askedOf("Why?").terms).toEqual(["whi"]);
  });

  it("finds words in forms that no stem brings together", () => {
    expect(hasFormOf("intercepto", new Set(["intercepcion"]))).toBe(true);
    expect(hasFormOf("naturalis", new Set(["natur", "naturaliz"]))).toBe(true);
    expect(hasFormOf("count", new Set(["contest", "counterproductive"]))).toBe(false);
    expect(hasFormOf("old", new Set(["oldest"]))).toBe(false);
  });
});

describe("quotes", () => {
  const mill = "The mill stands on a hill. Its wheels are of oak. Every wheel was turned by eight men of the village.";

  it("are rather the sentence with something of the kind that is asked for", () => {
    const text =
      "The great bell hangs in the yard.\n\nThe great bell was cast in 1702.\n\nThe great bell rings at noon.";
    expect(texts("When did they make the great bell?", text)).toEqual(["The great bell was cast in 1702."]);
    expect(texts("Where is the great bell?", text)).toEqual(["The great bell hangs in the yard."]);
  });

  it("hold sentences beside each other that say nearly as much, and what their pronoun speaks of", () => {
    expect(texts("What are the wheels of the mill made of?", mill)[0]).toBe(
      "The mill stands on a hill. Its wheels are of oak.",
    );
    expect(texts("Who turned every wheel?", mill)).toEqual(["Every wheel was turned by eight men of the village."]);
    const both = "Grain came by boat. Flour went by cart. Then it rained for a long time.";
    expect(texts("How did grain and flour travel?", both)).toEqual(["Grain came by boat. Flour went by cart."]);
  });

  it("never reach over a blank line or a heading", () => {
    const parted = "Grain came by boat.\n\nFlour went by cart.\n\n## Carts\n\nCarts were for flour.";
    const quotes = texts("How did grain and flour travel by carts?", parted, { limit: 9 });
    expect(quotes.sort()).toEqual(["Carts were for flour.", "Flour went by cart.", "Grain came by boat."]);
  });

  it("beside the first need half the coverage, so that one that says little is not shown", () => {
    const text = "The bell was cast in bronze.\n\nSome monks brewed.\n\nCats slept.\n\nThe monks had a bell.";
    const coverages = (minCoverage: number): number[] =>
      evidence("Which monks cast the bell in bronze?", [passage(text)], { limit: 9, minCoverage }).map(
        ({ coverage }) => coverage ?? 0,
      );
    const all = coverages(0);
    expect(all.length).toBe(3);
    const [best, , least] = [...all].sort((a, b) => b - a);
    expect(coverages(least! * 2 + 0.01)).toHaveLength(2);
    expect(coverages(best! + 0.01)).toEqual([]);
  });

  it("of code stand whole behind what is said in words", () => {
    const code = "```sh\nstart --port 80\n\n# then wait\n```";
    const text = `The option port is a number.\n\n${code}\n`;
    expect(texts("Which port does start take?", text, { limit: 2 })).toEqual(["The option port is a number.", code]);
    const cut = "wait for port\n# port\n```\n\nThe port is a number.";
    expect(texts("What is the port?", cut, { limit: 2 })).toEqual(["The port is a number.", cut.slice(0, 24)]);
    const left = "The port is a number.\n\n```\nport = 80";
    expect(texts("What is the port?", left, { limit: 2 })).toEqual(["The port is a number.", left.slice(23)]);
  });

  it("owe nothing to code beside them", () => {
    const text = "```sh\nturn wheels\n```\n\nThey are blue.\n\nWheels turn.";
    const [code, blue, turn] = candidatesOf(passage(text));
    expect(code?.block.isCode).toBe(true);
    expect([...blue!.before]).toEqual([]);
    expect([...turn!.before]).toEqual(["they", "are", "blue"]);
  });

  it("go on with what their colon announces, if that is short", () => {
    const text = (code: string): string => `Wheels are turned so:\n\n${code}\n\nAnd so on.`;
    const code = "```sh\nturn\n```";
    expect(texts("How are the wheels turned?", text(code))).toEqual([`Wheels are turned so:\n\n${code}`]);
    const long = `\`\`\`\n${"turn\n".repeat(200)}\`\`\``;
    expect(texts("How are the wheels turned?", text(long))).toEqual(["Wheels are turned so:"]);
    expect(texts("How are the wheels turned?", "Wheels are turned so:\n\n## Now\n\nSee.")).toEqual([
      "Wheels are turned so:",
    ]);
  });

  it("stand under the headings of their place, not of where the passage begins", () => {
    const text =
      "### Oak\n\nHard wood.\n\n#### Bog oak\n\nBlack wood.\n\n### Ash\n\nTough wood.\n\n## Stone\n\nNo wood.";
    const found = passage(text, { headingPath: ["Materials", "Wood", "Oak"] });
    const quotes = evidence("wood", [found], { limit: 9, minCoverage: 0 });
    expect(Object.fromEntries(quotes.map((quote) => [quote.text, quote.headingPath.join("/")]))).toEqual({
      "Hard wood.": "Materials/Wood/Oak",
      "Black wood.": "Materials/Wood/Oak/Bog oak",
      "Tough wood.": "Materials/Wood/Ash",
      "No wood.": "Materials/Stone",
    });
    expect(blocksOf({ path: "a.txt", text: "# a comment\nx", headingPath: ["f"] })[0]?.headingPath).toEqual(["f"]);
  });

  it("know the words of headings, of a table's head and of names", () => {
    const table = "| inlet | width |\n| --- | --- |\n| 40 | 32 |\n| upper | 16 mm |";
    expect(texts("What is the width of the upper one?", table)).toEqual(["| upper | 16 mm |"]);
    const text = "### keepAliveTimeout\n\nDefault: 5.\n\n### bodyLimit\n\nDefault: 7.";
    expect(texts("What is the default limit of the body?", text)).toEqual(["Default: 7."]);
  });

  it("are never numbers of items, anchors, rules or entries of a table of contents", () => {
    const text = '<a id="x"></a>\n\n- [Wheels](#wheels)\n\n1.\n\n| --- |\n\n[wheels]: http://x.y\n\n1. Wheels turn.';
    expect(candidatesOf(passage(text)).map((candidate) => candidate.text)).toEqual(["1. Wheels turn."]);
  });

  it("are rather whole sentences that say something themselves", () => {
    const text = "turning of wheels with wind.\n\nWheels turn with water.\n\nSee [wheels](b.md) to turn.";
    const quotes = evidence("What do wheels turn with?", [passage(text, { start: 90 })], { minCoverage: 0 });
    expect(quotes[0]?.text).toBe("Wheels turn with water.");
    expect(quotes[0]).toMatchObject({ start: 90 + 30, end: 90 + 53 });
    const asked = "What turns the wheels?\n\nIt is the water that turns the wheels.\n";
    expect(texts("What is it that turns the wheels?", asked)).toEqual(["It is the water that turns the wheels."]);
    expect(texts("What turns the wheels", "What turns the wheels is water.")).toEqual([
      "What turns the wheels is water.",
    ]);
    const shown = '```sh\nask "What is it that turns the wheels?"\n```\n';
    expect(texts("What is it that turns the wheels?", shown)).toEqual([]);
  });
});
