import { describe, expect, it } from "vitest";
import { fitConversation, type Turn } from "./conversation.js";

const turn = (role: string, content: string): Turn => ({ role, content });
const system = turn("system", "Be kind.");
const exchanges = Array.from({ length: 20 }, (_, i) => [
  turn("user", `question ${i}`),
  turn("assistant", `answer ${"x".repeat(i)}`),
]);
const messages = [system, ...exchanges.flat(), turn("user", "and now?")];
const count = (some: readonly Turn[]): number => some.reduce((sum, { content }) => sum + content.length, 0);

describe("a conversation under a budget", () => {
  it("keeps all that fits, the system's message and the latest exchanges", async () => {
    const all = count(messages);
    expect(await fitConversation(messages, { budget: all, count })).toEqual({
      kept: messages,
      dropped: [],
      numTokens: all,
    });
    for (let budget = all - 1; budget > 40; budget -= 7) {
      const { kept, dropped, numTokens } = await fitConversation(messages, { budget, count });
      expect(numTokens).toBe(count(kept));
      expect(numTokens).toBeLessThanOrEqual(budget);
      expect(kept[0]).toBe(system);
      expect([system, ...dropped, ...kept.slice(1)]).toEqual(messages);
      expect(kept[1]!.role).toBe("user");
      // one exchange more would be too much
      expect(count([...kept, ...dropped.slice(-2)])).toBeGreaterThan(budget);
    }
  });

  it("leaves what must stay, even where that is too much", async () => {
    const { kept, dropped, numTokens } = await fitConversation(messages, { budget: 3, count });
    expect(kept).toEqual([system, messages.at(-1)]);
    expect(dropped).toHaveLength(40);
    expect(numTokens).toBe(16);
    expect(await fitConversation([system], { budget: 0, count })).toMatchObject({ kept: [system], dropped: [] });
    expect(await fitConversation([], { budget: 0, count })).toEqual({ kept: [], dropped: [], numTokens: 0 });
  });
});
