/** @file The folder as a tree, with what was left out of it and why. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { DocumentEntry, IndexFacts } from "../../../../src/server/studio/wire/index.js";
import { integer, plural } from "../../format.js";
import { linkTo } from "../../route.js";
import { type TreeFolder, treeOf } from "./folder-tree.js";

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
    if (!link || !pane) return;
    const isSeen = link.offsetTop > pane.scrollTop && link.offsetTop < pane.scrollTop + 0.9 * pane.clientHeight;
    if (!isSeen) pane.scrollTop = link.offsetTop - pane.clientHeight / 2;
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
