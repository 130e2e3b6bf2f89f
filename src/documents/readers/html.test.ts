/** @file Pages as Markdown: what is kept of them, what is dropped, and in which encodings they come. */
import { describe, expect, it } from "vitest";
import { html } from "./html.js";

async function textOf(page: string | Uint8Array): Promise<string> {
  const result = await html.read(typeof page === "string" ? new TextEncoder().encode(page) : page);
  if ("reason" in result) throw new Error(`${result.reason}: ${result.detail}`);
  return result.text;
}

describe("html", () => {
  it("writes headings, paragraphs, lists, tables and code as Markdown", async () => {
    const page = `<main><h1>A <code>title</code> <a href="#a">¶</a></h1><p>One <b>bold</b>   word<br>and
      a <a href="x">link</a>, <img alt="a picture"><p># not a heading
      <ol start=3><li>three<ul><li>in it</ul><li><p>four</p></ol>
      <table><caption>Things</caption><tr><th>A<th>B | C<tr><td colspan=2>1<tr><td>2<td>3</table>
      <pre><code class="language-ts">let a = 1;
  a++;
</code></pre></main>`;
    expect(await textOf(page)).toBe(
      [
        "# A `title`",
        "One bold word\nand a link, a picture",
        "\\# not a heading",
        "3. three\n    - in it\n4. four",
        "Things",
        "| A | B \\| C |\n| --- | --- |\n| 1 |  |\n| 2 | 3 |",
        "```ts\nlet a = 1;\n  a++;\n```",
      ].join("\n\n"),
    );
  });

  it("prefers the main content and drops what is around it or not seen", async () => {
    const page = `<title>Site</title><header>Logo</header><nav>Home</nav><div id=x>Banner</div>
      <main><p>The content of the page, which is long enough to be it.<aside>A note.</aside>
      <p hidden>hidden<p aria-hidden=true>hidden<p style="display: none">hidden<script>s()</script><style>p{}</style>
      <noscript>no script</noscript><button>Copy</button></main><footer>© 2026</footer>`;
    expect(await textOf(page)).toBe("# Site\n\nThe content of the page, which is long enough to be it.\n\nA note.");
  });

  it("takes the whole body where main is an empty shell, or where there is none", async () => {
    const rest = "<nav>Home</nav><header><h1>Title</h1></header><p>All of the text stands outside.";
    const text = "# Title\n\nAll of the text stands outside.";
    expect(await textOf(`<body><main></main>${rest}`)).toBe(text);
    expect(await textOf(`<body>${rest}`)).toBe(text);
  });

  it("reads tables that only lay out a page as text", async () => {
    const page =
      "<table><tr><td><p>Left<td><table><tr><td>a<td>b</table></table><table><tr><td>One<tr><td>column</table>";
    expect(await textOf(page)).toBe("Left\n\n| a | b |\n| --- | --- |\n\nOne\n\ncolumn");
  });

  it("decodes what the page declares where it is not UTF-8", async () => {
    const chinese = Buffer.concat([Buffer.from('<meta charset="gbk"><p>'), Buffer.from("b7c5b2bbcfc2", "hex")]);
    expect(await textOf(chinese)).toBe("放不下");
    const undeclared = Buffer.concat([Buffer.from("<p>"), Buffer.from("b7c5b2bbcfc2", "hex")]);
    expect(await html.read(undeclared)).toMatchObject({ reason: "not UTF-8" });
    const wrong = Buffer.concat([Buffer.from("<meta charset=gbk><p>"), Buffer.from("b730", "hex")]);
    expect(await html.read(wrong)).toMatchObject({ reason: "not UTF-8", detail: expect.stringContaining("gbk") });
  });

  it("refuses a page that nests without end, quickly", async () => {
    expect(await html.read(Buffer.from("<div>".repeat(1_000_000)))).toMatchObject({ reason: "damaged" });
    expect(await textOf(`${"<div>".repeat(400)}deep`)).toBe("deep");
  });
});
