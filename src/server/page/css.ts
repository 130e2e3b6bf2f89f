/** @file The page's style. Colours hold a contrast of 4.5 in light and dark. */

export const pageCss = `
:root {
  --ground: #faf8f4; --sheet: #ffffff; --ink: #1f2421; --quiet: #5d645f; --line: #ddd9d0;
  --accent: #1d6d7c; --on-accent: #ffffff; --mark: #ffe2a3; --span: #fff3d6; --caution: #fdf1dc; --caution-line: #c9882b;
  --alert: #a3271b; --alert-ground: #fdecea;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161917; --sheet: #1f2321; --ink: #e6e8e4; --quiet: #a2aaa4; --line: #363c38;
    --accent: #6cc3d3; --on-accent: #0d1f23; --mark: #6b4d0f; --span: #3a3018; --caution: #2b2517; --caution-line: #d69a3f;
    --alert: #ff9c91; --alert-ground: #3a1c19;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 84rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere;
}
h1, h2, h3, p, dl, ol, ul, pre { margin: 0; padding: 0; }
h1 { font-size: 1.35rem; display: flex; align-items: center; gap: .6rem; }
h2 { font-size: 1.05rem; }
h3 { font-size: .9rem; }
ol, ul { list-style: none; }
.quiet { color: var(--quiet); font-size: .875rem; }
.tiles {
  width: 1.1rem; height: 1.1rem; flex: none;
  background: conic-gradient(#d08a2e 25%, #2a7f8e 0 50%, #d08a2e 0 75%, #2a7f8e 0);
}
button, input { font: inherit; color: inherit; }
button {
  flex: none; padding: .45rem .9rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--sheet);
  cursor: pointer;
}
button:hover:not(:disabled) { border-color: var(--accent); }
button:disabled { opacity: .55; cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
mark { background: var(--mark); color: inherit; border-radius: .15rem; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem; }
.jump { color: var(--accent); font-size: .875rem; }
.alert {
  margin: 1rem 0; padding: .6rem .8rem; border-radius: .4rem; background: var(--alert-ground); color: var(--alert);
}

form { margin: 1.5rem 0; }
form label { display: block; margin-bottom: .35rem; font-weight: 600; }
form .row { flex-wrap: nowrap; }
#question {
  flex: 1; min-width: 0; padding: .6rem .8rem; border: 1px solid var(--quiet); border-radius: .4rem; background: var(--sheet);
}
#question::placeholder { color: var(--quiet); opacity: 1; }
#submit { padding: .6rem 1.3rem; border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 600; }

#welcome { display: grid; gap: 1rem; }
#summary { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; }
#summary div { padding: .8rem 1rem; background: var(--sheet); border: 1px solid var(--line); border-radius: .5rem; }
dt { color: var(--quiet); font-size: .8rem; }
dd { margin: 0; }
#summary dd { font-size: 1.15rem; font-weight: 600; }
#topic-list { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .5rem; }
#topic-list button { border-radius: 1.2rem; color: var(--accent); text-align: start; }

#answers { display: grid; gap: 2rem; align-items: start; }
@media (min-width: 60rem) {
  #answers { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); }
  .jump { display: none; }
  #written { position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow-y: auto; }
}
#passage-list { display: grid; gap: .9rem; margin-top: .6rem; }
.passage { background: var(--sheet); border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; }
.passage .open {
  display: block; width: 100%; padding: .7rem 1rem .5rem; border: 0; border-radius: 0; background: none; text-align: start;
  font-weight: 400; font-size: .9rem;
}
.passage .open:hover { background: var(--span); }
.passage .open:focus-visible { outline-offset: -2px; }
.open .path { display: block; color: var(--accent); font-weight: 600; text-decoration: underline; text-underline-offset: .2em; }
.passage .place { padding: 0 1rem .5rem; font-size: .8rem; color: var(--quiet); }
.passage .body { padding: .7rem 1rem .9rem; border-top: 1px solid var(--line); white-space: pre-wrap; font-size: .925rem; }

#written { display: grid; gap: .8rem; padding: 1rem; background: var(--sheet); border: 1px dashed var(--caution-line); border-radius: .5rem; }
.caution { padding: .6rem .8rem; border-left: .25rem solid var(--caution-line); background: var(--caution); font-size: .875rem; }
#text { min-height: 4.5rem; white-space: pre-wrap; }
#prompt { color: var(--quiet); }
#text[aria-busy="true"] #continuation::after { content: "▍"; color: var(--caution-line); }
#card { display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; font-size: .875rem; }

dialog {
  width: min(60rem, calc(100vw - 2rem)); height: min(52rem, calc(100dvh - 2rem)); padding: 0; border: 1px solid var(--line);
  border-radius: .6rem; background: var(--sheet); color: inherit; overflow: hidden;
}
dialog[open] { display: flex; flex-direction: column; }
dialog::backdrop { background: rgb(0 0 0 / .5); }
dialog header {
  display: flex; justify-content: space-between; align-items: start; gap: 1rem; padding: .8rem 1rem;
  border-bottom: 1px solid var(--line);
}
#written .alert { margin: 0; }
dialog .alert { margin: .8rem 1rem 0; }
#document-text {
  flex: 1; min-height: 0; padding: 1rem; overflow: auto; white-space: pre-wrap; font: .85rem/1.55 var(--mono);
}
#document-text:focus-visible { outline-offset: -3px; }
#document-text mark { background: var(--span); border-radius: 0; }
@media (max-width: 40rem) {
  dialog { width: 100vw; max-width: 100vw; height: 100dvh; max-height: 100dvh; border: 0; border-radius: 0; }
  #summary { grid-template-columns: 1fr 1fr; }
}
`;
