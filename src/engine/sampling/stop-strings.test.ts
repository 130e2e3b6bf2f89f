import { describe, expect, it } from "vitest";
import { ConfigError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { StopStrings } from "./stop-strings.js";

interface Outcome {
  readonly text: string;
  readonly stop: string | undefined;
}

function watched(stops: readonly string[], pieces: readonly string[]): Outcome {
  const watcher = new StopStrings(stops);
  let text = "";
  for (const piece of pieces) {
    const result = watcher.push(piece);
    text += result.text;
    if (result.stop !== undefined) return { text, stop: result.stop };
  }
  return { text: text + watcher.flush(), stop: undefined };
}

/** Character by character, without an automaton. */
function reference(stops: readonly string[], text: string): Outcome {
  for (let end = 1; end <= text.length; end++) {
    const found = stops.filter((stop) => text.slice(0, end).endsWith(stop)).sort((a, b) => b.length - a.length)[0];
    if (found !== undefined) return { text: text.slice(0, end - found.length), stop: found };
  }
  return { text, stop: undefined };
}

describe("StopStrings", () => {
  it("holds back what may become a stop string and gives it when it does not", () => {
    const watcher = new StopStrings(["\n\nUser:", "END"]);
    expect(watcher.push("Hello\n")).toEqual({ text: "Hello" });
    expect(watcher.push("\nUs")).toEqual({ text: "" });
    expect(watcher.push("eful. E")).toEqual({ text: "\n\nUseful. " });
    expect(watcher.push("N")).toEqual({ text: "" });
    expect(watcher.push("D of it")).toEqual({ text: "", stop: "END" });
    expect(() => watcher.push("more")).toThrow(ConfigError);
  });

  it("gives what was held back when the text ends", () => {
    const watcher = new StopStrings(["stop"]);
    expect(watcher.push("a sto").text + watcher.flush()).toBe("a sto");
  });

  it("does the same however the text is cut", () => {
    const rng = new Rng(11);
    const word = (length: number): string => Array.from({ length }, () => "ab😀"[rng.below(4)]!).join("");
    for (let round = 0; round < 400; round++) {
      const stops = Array.from({ length: 1 + rng.below(4) }, () =>
        Array.from({ length: 1 + rng.below(4) }, () => ["a", "b", "😀"][rng.below(3)]!).join(""),
      );
      const text = word(rng.below(24));
      const pieces: string[] = [];
      for (let at = 0; at < text.length; at += pieces.at(-1)!.length)
        pieces.push(text.slice(at, at + 1 + rng.below(5)));
      expect(watched(stops, pieces)).toEqual(reference(stops, text));
    }
  });

  it("refuses stop strings that would end every text or none", () => {
    expect(() => new StopStrings([""])).toThrow(ConfigError);
    expect(() => new StopStrings(["a\ud83d"])).toThrow(ConfigError);
  });
});
