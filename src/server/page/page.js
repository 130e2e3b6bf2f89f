/**
 * @file The page's script, sent to the browser as it stands here: asks, shows passages and the model's text, opens
 * documents. Texts of documents and of the model are set as text, never as HTML. `tsconfig.json` beside it checks its types.
 */
/** @import { AboutResponse, CompletionEvent, DocumentResponse, ErrorResponse, Passage, SearchResponse } from "../wire.js" */

const NUM_PASSAGES = 8;
const MAX_TOKENS = 128;

/** A failure that the server has put in words. */
class ServerError extends Error {}

const page = {
  folder: element("folder", HTMLElement),
  form: element("ask", HTMLFormElement),
  question: element("question", HTMLInputElement),
  submit: element("submit", HTMLButtonElement),
  failure: element("failure", HTMLElement),
  welcome: element("welcome", HTMLElement),
  summary: element("summary", HTMLElement),
  origin: element("origin", HTMLElement),
  topics: element("topics", HTMLElement),
  topicList: element("topic-list", HTMLElement),
  answers: element("answers", HTMLElement),
  found: element("found", HTMLElement),
  passageList: element("passage-list", HTMLElement),
  caution: element("caution", HTMLElement),
  text: element("text", HTMLElement),
  prompt: element("prompt", HTMLElement),
  continuation: element("continuation", HTMLElement),
  textFailure: element("text-failure", HTMLElement),
  again: element("again", HTMLButtonElement),
  counts: element("counts", HTMLElement),
  card: element("card", HTMLElement),
  dialog: element("document", HTMLDialogElement),
  documentPath: element("document-path", HTMLElement),
  documentPlace: element("document-place", HTMLElement),
  documentFailure: element("document-failure", HTMLElement),
  documentText: element("document-text", HTMLElement),
  documentClose: element("document-close", HTMLButtonElement),
};

/** What goes on: one of each at a time; the next ends the one before. */
let search = new AbortController();
let writing = new AbortController();
let opening = new AbortController();
let seed = 0;
/** Set once the server has said what it is. */
let maxTokens = MAX_TOKENS;

page.form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = page.question.value.trim();
  if (question !== "") ask(question);
  else page.question.focus();
});
page.again.addEventListener("click", () => {
  if (isWriting()) writing.abort();
  else write(page.prompt.textContent, seed + 1);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || page.dialog.open || !isWriting()) return;
  writing.abort();
  // a search field would be emptied
  event.preventDefault();
});
page.documentClose.addEventListener("click", () => page.dialog.close());
start();

async function start() {
  try {
    showAbout(await request("/api/about"));
    page.submit.disabled = false;
  } catch (thrown) {
    show(page.failure, failureText(thrown));
  }
}

/** @param {AboutResponse} about */
function showAbout({ folder, numDocuments, numChunks, model, topics }) {
  document.title = `${folder} – Tessera`;
  page.folder.textContent = folder;
  const parameters = compact(model.numParameters);
  const perplexity = `${rounded(model.perplexityBefore)} → ${rounded(model.perplexityAfter)}`;
  describe(page.summary, {
    Documents: grouped(numDocuments),
    Chunks: grouped(numChunks),
    "Model parameters": parameters,
    "Perplexity on held-out text": perplexity,
  });
  page.origin.textContent = `The documents are indexed for search. The model: ${model.origin}.`;
  describe(page.card, {
    Parameters: parameters,
    Weights: model.weights,
    "Perplexity on held-out text": perplexity,
    Context: count(model.contextLength, "token"),
  });
  page.caution.textContent =
    `Written by a language model of ${parameters} parameters (${model.origin}). It continues your text in the style of ` +
    "the documents; it does not answer questions, and what it says may be wrong. Rely on the passages.";
  maxTokens = Math.min(MAX_TOKENS, model.contextLength);
  page.topicList.replaceChildren(...topics.map((topic) => make("li", "", topicButton(topic))));
  page.topics.hidden = topics.length === 0;
  page.welcome.hidden = false;
}

/** @param {string} topic */
function topicButton(topic) {
  const button = make("button", "", topic);
  button.dir = "auto";
  button.addEventListener("click", () => {
    page.question.value = topic;
    ask(topic);
  });
  return button;
}

/** @param {string} question */
function ask(question) {
  page.failure.hidden = true;
  page.welcome.hidden = true;
  page.answers.hidden = false;
  find(question);
  write(question, 0);
}

/** @param {string} question */
async function find(question) {
  search.abort();
  search = new AbortController();
  const { signal } = search;
  page.found.textContent = "Searching …";
  page.passageList.replaceChildren();
  try {
    /** @type {SearchResponse} */
    const { passages, milliseconds } = await request("/api/search", { question, limit: NUM_PASSAGES }, signal);
    const isFused = passages.some(({ ranks }) => ranks.vector !== undefined);
    page.passageList.replaceChildren(...passages.map((passage) => passageItem(passage, isFused)));
    page.found.textContent =
      passages.length > 0
        ? `${count(passages.length, "passage")}, best first, found in ${rounded(milliseconds)} ms`
        : "No passage has these words. Try others that the documents may use.";
  } catch (thrown) {
    if (signal.aborted) return;
    page.found.textContent = "";
    show(page.failure, failureText(thrown));
  }
}

/**
 * @param {Passage} passage
 * @param {boolean} isFused whether ranks say more than the order does
 */
function passageItem(passage, isFused) {
  const { path, headingPath, text, start, score, ranks, matches } = passage;
  const open = make("button", "open", make("span", "path", path), headingPath.join(" › "));
  open.type = "button";
  open.dir = "auto";
  open.addEventListener("click", () => openDocument(passage));
  const place = [placeOf(passage), `score ${score.toPrecision(3)}`];
  if (isFused && ranks.text !== undefined) place.push(`rank ${ranks.text} by words`);
  if (isFused && ranks.vector !== undefined) place.push(`rank ${ranks.vector} by meaning`);
  const body = make("div", "body", ...marked(text, start, matches));
  body.dir = "auto";
  return make("li", "passage", make("h3", "", open), make("p", "place", place.join(" · ")), body);
}

/** @param {Passage} passage */
function placeOf({ page, start, end }) {
  const characters = `characters ${grouped(start)}–${grouped(end)}`;
  return page === undefined ? characters : `page ${grouped(page)} · ${characters}`;
}

/**
 * The text with spans of it marked.
 * @param {string} text
 * @param {number} offset of the text in its document
 * @param {Passage["matches"]} spans offsets in the document, in order
 */
function marked(text, offset, spans) {
  /** @type {(string | HTMLElement)[]} */
  const parts = [];
  let at = 0;
  for (const [start, end] of spans) {
    parts.push(text.slice(at, start - offset), make("mark", "", text.slice(start - offset, end - offset)));
    at = end - offset;
  }
  return [...parts, text.slice(at)];
}

/**
 * Lets the model continue a prompt, in place of what it writes now.
 * @param {string} prompt
 * @param {number} newSeed
 */
async function write(prompt, newSeed) {
  writing.abort();
  writing = new AbortController();
  seed = newSeed;
  const { signal } = writing;
  page.prompt.textContent = prompt;
  page.continuation.textContent = "";
  page.counts.textContent = "";
  page.textFailure.hidden = true;
  setWriting(true);
  try {
    const response = await send("/api/complete", { prompt, maxTokens, seed }, signal);
    for await (const event of events(response)) showEvent(event);
  } catch (thrown) {
    if (!signal.aborted) show(page.textFailure, failureText(thrown));
    else if (writing.signal === signal) page.counts.textContent = "Stopped.";
  }
  // a newer text goes on
  if (writing.signal === signal) setWriting(false);
}

/** @param {CompletionEvent} event */
function showEvent({ event, data }) {
  if (event === "text") page.continuation.append(data.text);
  else if (event === "error") throw new ServerError(data.error.message);
  else {
    const { numTokens, numDroppedTokens, milliseconds } = data;
    const cut = numDroppedTokens > 0 ? ` The first ${count(numDroppedTokens, "token")} of your text did not fit.` : "";
    page.counts.textContent = `${count(numTokens, "token")} in ${rounded(milliseconds / 1000)} s, seed ${seed}.${cut}`;
  }
}

function isWriting() {
  return page.text.ariaBusy === "true";
}

/** @param {boolean} isBusy */
function setWriting(isBusy) {
  // a screen reader waits for the end and then reads the text once
  page.text.ariaBusy = String(isBusy);
  page.again.textContent = isBusy ? "Stop" : "Write another";
}

/** @param {Passage} passage */
async function openDocument(passage) {
  const { path, start, end, text: expected } = passage;
  opening.abort();
  opening = new AbortController();
  const { signal } = opening;
  page.documentPath.textContent = path;
  page.documentPlace.textContent = placeOf(passage);
  page.documentFailure.hidden = true;
  page.documentText.replaceChildren();
  page.dialog.showModal();
  try {
    /** @type {DocumentResponse} */
    const { text } = await request(`/api/document?${new URLSearchParams({ path })}`, undefined, signal);
    const span = make("mark", "", text.slice(start, end));
    page.documentText.replaceChildren(text.slice(0, start), span, text.slice(end));
    const isTall = span.offsetHeight > page.documentText.clientHeight;
    span.scrollIntoView({ block: isTall ? "start" : "center" });
    page.documentText.focus({ preventScroll: true });
    if (span.textContent !== expected) {
      show(
        page.documentFailure,
        "The document changed after it was indexed. Index the folder again to find the passage.",
      );
    }
  } catch (thrown) {
    if (!signal.aborted) show(page.documentFailure, failureText(thrown));
  }
}

/**
 * What the server sends back as JSON.
 * @param {string} path
 * @param {object} [body] sent as JSON by POST; without it, GET
 * @param {AbortSignal} [signal]
 */
async function request(path, body, signal) {
  return (await send(path, body, signal)).json();
}

/**
 * @param {string} path
 * @param {object} [body]
 * @param {AbortSignal} [signal]
 */
async function send(path, body, signal) {
  const post = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, { ...post, signal: signal ?? null });
  if (response.ok) return response;
  /** @type {ErrorResponse} */
  const { error } = await response.json();
  throw new ServerError(error.message);
}

/**
 * The events of a response, as they come.
 * @param {Response} response
 * @returns {AsyncGenerator<CompletionEvent, void>}
 */
async function* events(response) {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (rest + part.value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [event, data] = block.split("\n").map((line) => line.slice(line.indexOf(": ") + 2));
      yield/** @type {CompletionEvent} */ ({ event, data: JSON.parse(data ?? "null") });
    }
  }
}

/** @param {unknown} thrown */
function failureText(thrown) {
  if (thrown instanceof ServerError) return `The server says: ${thrown.message}`;
  return "The server does not answer. See whether it still runs in its terminal, start it again, and reload this page.";
}

/**
 * @param {HTMLElement} place
 * @param {string} text
 */
function show(place, text) {
  place.textContent = text;
  place.hidden = false;
}

/**
 * @param {HTMLElement} list
 * @param {Readonly<Record<string, string>>} facts
 */
function describe(list, facts) {
  const rows = Object.entries(facts).map(([name, value]) =>
    make("div", "", make("dt", "", name), make("dd", "", value)),
  );
  list.replaceChildren(...rows);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {(string | Node)[]} children
 */
function make(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

/**
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 */
function element(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} with the id ${id}`);
}

/**
 * @param {number} value
 * @param {string} noun
 */
function count(value, noun) {
  return `${grouped(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** @param {number} value */
function grouped(value) {
  return value.toLocaleString("en");
}

/** @param {number} value */
function compact(value) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** @param {number} value */
function rounded(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
