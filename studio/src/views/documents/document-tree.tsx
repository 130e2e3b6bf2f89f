/** @file The folder as a tree, with what was left out of it and why. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { DocumentEntry, IndexFacts } from "../../../../src/server/studio/wire/index.js";
import { integer, plural } from "../../format.js";
import { linkTo } from "../../route.js";

export interface TreeFolder {
  readonly name: string;
  readonly path: string;
  readonly folders: readonly TreeFolder[];
  readonly documents: readonly DocumentEntry[];
  /** With those of folders in it. */
  readonly numChunks: number;
}

/** @param prefix path of the folder with its slash; "" for the one that was indexed. */
export function treeOf(documents: readonly DocumentEntry[], prefix = "", name = ""): TreeFolder {
  const own: DocumentEntry[] = [];
  const inside = new Map<string, DocumentEntry[]>();
  for (const document of documents) {
    const rest = document.path.slice(prefix.length);
    const slash = rest.indexOf("/");
    if (slash < 0) own.push(document);
    else inside.set(rest.slice(0, slash), [...(inside.get(rest.slice(0, slash)) ?? []), document]);
  }
  return {
    name,
    path: prefix,
    folders: [...inside].map(([folder, list]) => treeOf(list, `${prefix}${folder}/`, folder)),
    documents: own,
    numChunks: documents.reduce((sum, { numChunks }) => sum + numChunks, 0),
  };
}

/** With fewer one finds a document by looking. */
const FILTER_FROM = 12;

export interface DocumentTreeProps {
  readonly documents: readonly DocumentEntry[];
  readonly shown: string | undefined;
  readonly skipped: IndexFacts["skipped"];
}

export function DocumentTree({ documents, shown, skipped }: DocumentTreeProps) {
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLowerCase();
  const tree = useMemo(
    () => treeOf(documents.filter(({ path }) => path.toLowerCase().includes(wanted))),
    [documents, wanted],
  );
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const link = list.current?.querySelector<HTMLElement>("[aria-current]");
    const pane = link?.closest(".aside");
    if (link && pane) pane.scrollTop = link.offsetTop - pane.clientHeight / 2;
  }, [shown, documents]);
  return (
    <>
      {documents.length >= FILTER_FROM && (
        <input
          type="search"
          class="tree-filter"
          aria-label="Find a document by its name"
          placeholder="Find by name"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      <ul class="tree" ref={list}>
        <Inside folder={tree} shown={shown} isOpen={wanted !== ""} />
      </ul>
      {tree.numChunks === 0 && <p class="quiet">No document has this in its name.</p>}
      {skipped.length > 0 && (
        <details class="skipped">
          <summary>{plural(skipped.length, "file")} left out</summary>
          <ul>
            {skipped.map(({ path, reason, detail }) => (
              <li key={path}>
                {path}
                <span class="quiet">
                  {reason}: {detail}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

interface InsideProps {
  readonly folder: TreeFolder;
  readonly shown: string | undefined;
  /** All folders are open, as what is in them was looked for. */
  readonly isOpen: boolean;
}

function Inside({ folder, shown, isOpen }: InsideProps) {
  return (
    <>
      {folder.folders.map((inner) => (
        <Folder key={inner.path} folder={inner} shown={shown} isOpen={isOpen} />
      ))}
      {folder.documents.map(({ path, numChunks }) => (
        <li key={path}>
          <a href={linkTo("documents", { path })} aria-current={path === shown ? "true" : undefined}>
            <span>{path.slice(folder.path.length)}</span>
            <span class="quiet" title={plural(numChunks, "chunk")}>
              {integer(numChunks)}
            </span>
          </a>
        </li>
      ))}
    </>
  );
}

/** Folders of few documents are open from the start; what is in a closed one is not drawn. */
const OPEN_BELOW = 30;

function Folder({ folder, shown, isOpen }: InsideProps) {
  const [isUnfolded, setUnfolded] = useState(
    () => folder.documents.length + folder.folders.length < OPEN_BELOW || (shown?.startsWith(folder.path) ?? false),
  );
  const isShown = isUnfolded || isOpen;
  return (
    <li>
      <details open={isShown} onToggle={(event) => setUnfolded(event.currentTarget.open)}>
        <summary>
          <span>{folder.name}</span>
          <span class="quiet" title={plural(folder.numChunks, "chunk")}>
            {integer(folder.numChunks)}
          </span>
        </summary>
        {isShown && (
          <ul class="tree">
            <Inside folder={folder} shown={shown} isOpen={isOpen} />
          </ul>
        )}
      </details>
    </li>
  );
}
