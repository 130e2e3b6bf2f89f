import { describe, expect, it } from "vitest";
import { matchedWords } from "./matches.js";

const words = (question: string, text: string): string[] =>
  matchedWords(question, text).map(({ start, end }) => text.slice(start, end));

describe("matchedWords", () => {
  it("finds words as the search does: without case, accents and endings", () => {
    expect(words("Which QUERIES cache résumés?", "A query is cached; the cache of a resume, unqueried.")).toEqual([
      "query",
      "cached",
      "cache",
      "resume",
    ]);
  });

  it("gives the words inside code", () => {
    expect(words("reply send", "`reply.send(x)` and reply_sent, [reply](#send)")).toEqual([
      "reply",
      "send",
      "reply",
      "reply",
      "send",
    ]);
  });

  it("leaves common words out unless there are no others", () => {
    expect(words("how do I add a hook", "I do add a hook")).toEqual(["add", "hook"]);
    expect(words("who are they", "They are who they are")).toEqual(["They", "are", "who", "they", "are"]);
  });

  it("finds words in scripts without spaces", () => {
    expect(words("请求体的大小", "设置请求的大小, API请求")).toEqual(["请求", "大小", "请求"]);
    expect(words("api", "调用API接口")).toEqual(["API"]);
  });

  it("keeps offsets in the text where folding changes lengths", () => {
    expect(words("file strasse", "İİ ﬁle STRASSE 👍 file")).toEqual(["ﬁle", "STRASSE", "file"]);
  });

  it("finds nothing where there is nothing", () => {
    expect(words("", "text")).toEqual([]);
    expect(words("?!", "text?!")).toEqual([]);
    expect(words("text", "")).toEqual([]);
  });
});
