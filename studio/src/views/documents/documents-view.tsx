/** @file The documents: the folder as a tree, one document with its chunks drawn over it, and other ways to cut it. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type {
  CutChunk,
  CutResponse,
  CutSettings,
  DocumentList,
  IndexFacts,
  ShownDocument,
} from "../../../../src/server/studio/wire/index.js";
import { messageOf, post } from "../../api.js";
import { integer, plural } from "../../format.js";
import { state } from "../../live.js";
import { Alert } from "../../parts/alert.js";
import { useAnswer } from "../../parts/use-answer.js";
import { linkTo, route } from "../../route.js";
import { ChunkCard } from "./chunk-card.js";
import { CutPanel, isSameCut } from "./cut-panel.js";
import { DocumentTree } from "./document-tree.js";
import { type Highlight, Reader } from "./reader.js";
import "./documents.css";

export function DocumentsView() {
  const index = state.value?.index;
  if (index) return <Indexed index={index} />;
  const isGoing = state.value?.job.status === "running";
  return (
    <>
      <h1>Documents</h1>
      <p class="quiet">
        {isGoing ? (
          "The folder is being read; its documents are here when it is indexed."
        ) : (
          <>
            Nothing is indexed yet. <a href={linkTo("home")}>Index the folder</a>, and its documents and their chunks
            are here.
          </>
        )}
      </p>
    </>
  );
}

function Indexed({ index }: { readonly index: IndexFacts }) {
  const { query } = route.value;
  const [list, listError] = useAnswer<DocumentList>("/api/documents", index);
  const path = query.get("path") ?? list?.documents[0]?.path;
  const address = path === undefined ? undefined : `/api/document?${new URLSearchParams({ path })}`;
  const [shown, shownError] = useAnswer<ShownDocument>(address, index);
  const [trial, setTrial] = useState<CutSettings>();
  const { cutting, skipped } = index;
  const settings = trial ?? cutting;
  const isTrial = !isSameCut(settings, cutting);
  const [tried, trialError] = useTrial(isTrial ? shown : undefined, settings);
  const chunks = isTrial ? tried : shown?.chunks;
  const current = useSignal<number | undefined>(0);
  const highlight = useMemo(() => highlightOf(query, shown), [query, shown]);
  const error = listError ?? shownError;
  return (
    <div class="documents">
      <Aside title={plural(index.numDocuments, "document")} name="tree-pane">
        <DocumentTree documents={list?.documents ?? []} shown={path} skipped={skipped} />
      </Aside>
      <Aside title="How it is cut" name="cut-pane">
        <CutPanel
          cutting={cutting}
          indexing={state.value?.indexing}
          settings={settings}
          onChange={setTrial}
          chunkers={list?.chunkers ?? []}
          chunks={chunks}
          error={trialError}
        />
      </Aside>
      <section class="document" aria-label="Document">
        {error && <Alert>{error}</Alert>}
        {shown && (
          <>
            <Heading document={shown} numChunks={chunks?.length} />
            {shown.hasChanged && <Changed cutting={cutting} />}
            {chunks && (
              <Reader
                key={shown.path}
                document={shown}
                chunks={chunks}
                maxTokens={settings.maxTokens}
                highlight={highlight}
                current={current}
              />
            )}
            {chunks && <ChunkCard chunks={chunks} maxTokens={settings.maxTokens} current={current} />}
          </>
        )}
        {!shown && !error && <p class="quiet">Opening …</p>}
      </section>
    </div>
  );
}

interface AsideProps {
  readonly title: string;
  readonly name: string;
  readonly children: ComponentChildren;
}

/** Beside the document where there is room, folded above it where there is not. */
function Aside({ title, name, children }: AsideProps) {
  const [isWide] = useState(() => matchMedia("(min-width: 48rem)").matches);
  return (
    <details class={`sheet aside ${name}`} open={isWide}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}

function Heading({
  document,
  numChunks,
}: {
  readonly document: ShownDocument;
  readonly numChunks: number | undefined;
}) {
  const { path, text, mediaType, numPages } = document;
  const slash = path.lastIndexOf("/") + 1;
  const facts = [
    kindOf(mediaType, path),
    ...(numPages === undefined ? [] : [plural(numPages, "page")]),
    `${integer(text.length)} characters`,
    ...(numChunks === undefined ? [] : [plural(numChunks, "chunk")]),
  ];
  return (
    <header class="document-heading">
      <h1>
        <span class="quiet">{path.slice(0, slash)}</span>
        {path.slice(slash)}
      </h1>
      <p class="quiet">{facts.join(" · ")}</p>
      <ul class="legend" aria-label="How to read the picture">
        <li>
          <span class="swatch even" /> <span class="swatch odd" /> one chunk and the next
        </li>
        <li>
          <span class="swatch repeated" /> stands in the next one too
        </li>
        <li>
          <span class="swatch in-line" /> cut inside a line
        </li>
        <li>
          <span class="swatch full" /> how full it is
        </li>
        <li>
          <kbd>↑</kbd> <kbd>↓</kbd> from chunk to chunk
        </li>
      </ul>
    </header>
  );
}

const kinds: Readonly<Record<string, string>> = { "text/markdown": "Markdown", "text/plain": "Plain text" };

/** What the text is; of files that are no text, what they are too. */
function kindOf(mediaType: string, path: string): string {
  const kind = kinds[mediaType] ?? mediaType.replace(/^text\/(x-)?/, "");
  const ending = /\.(pdf|docx|html?|csv|tsv)$/i.exec(path)?.[1];
  return ending ? `${ending.toUpperCase()} read as ${kind}` : kind;
}

function Changed({ cutting }: { readonly cutting: IndexFacts["cutting"] }) {
  const [failure, setFailure] = useState<string>();
  async function again(): Promise<void> {
    await post("/api/index", cutting).catch((thrown) => setFailure(messageOf(thrown)));
  }
  return (
    <div class="caution row">
      <p>This file has changed since it was indexed. Its chunks are drawn as they would be cut now.</p>
      <button type="button" onClick={again}>
        Index the changes
      </button>
      {failure && <Alert>{failure}</Alert>}
    </div>
  );
}

/** What the address asks to be shown, where it is in the text. */
function highlightOf(query: URLSearchParams, shown: ShownDocument | undefined): Highlight | undefined {
  const [start, end] = [Number(query.get("start") ?? Number.NaN), Number(query.get("end") ?? Number.NaN)];
  if (!shown || query.get("path") !== shown.path || !(start >= 0 && start < end)) return undefined;
  return { start, end: Math.min(end, shown.text.length) };
}

/** The shown document cut by other settings; while they change, as the ones before cut it. */
function useTrial(
  shown: ShownDocument | undefined,
  settings: CutSettings,
): [readonly CutChunk[] | undefined, string | undefined] {
  const [tried, setTried] = useState<{ readonly hash: string; readonly chunks: readonly CutChunk[] }>();
  const [error, setError] = useState<string>();
  const { chunker, maxTokens, overlapTokens } = settings;
  useEffect(() => {
    setError(undefined);
    if (!shown) return;
    const { path, hash } = shown;
    const abort = new AbortController();
    const body = { path, hash, maxTokens, overlapTokens, ...(chunker !== undefined && { chunker }) };
    post<CutResponse>("/api/document/cut", body, abort.signal).then(
      ({ chunks }) => setTried({ hash, chunks }),
      (thrown) => {
        if (!abort.signal.aborted) setError(messageOf(thrown));
      },
    );
    return () => abort.abort();
  }, [shown, chunker, maxTokens, overlapTokens]);
  return [tried && tried.hash === shown?.hash ? tried.chunks : shown?.chunks, error];
}
