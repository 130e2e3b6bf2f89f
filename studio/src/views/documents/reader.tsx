/** @file A document's text with its chunks drawn over it. Only what is near the window is drawn chunk by chunk. */

import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { CutChunk, ShownDocument } from "../../../../src/server/studio/wire/index.js";
import { type Block, blocksOf, type Leaf, leavesOf, lineCount } from "./blocks.js";
import { chunkWords } from "./chunk-card.js";

export interface Highlight {
  readonly start: number;
  readonly end: number;
}

export interface ReaderProps {
  readonly document: ShownDocument;
  readonly chunks: readonly CutChunk[];
  readonly maxTokens: number;
  readonly highlight: Highlight | undefined;
  /** The chunk that is pointed at or has the focus. */
  readonly current: Signal<number | undefined>;
}

/** How far from the window chunks are drawn. */
const MARGIN = "800px 0px";

export function Reader({ document: shown, chunks, maxTokens, highlight, current }: ReaderProps) {
  const { text, path } = shown;
  const leaves = useMemo(() => leavesOf(blocksOf(text, chunks)), [text, chunks]);
  const feed = useRef<HTMLDivElement>(null);
  /** The chunk that the keys go on from. */
  const at = useRef(-1);
  const near = useSignal<ReadonlySet<number>>(new Set([0]));
  const draw = (leaf: number): void => {
    if (!near.value.has(leaf)) near.value = new Set([...near.value, leaf]);
  };
  useNearness(feed, near, leaves.length);
  useHighlight(feed, highlight);

  function focus(chunk: number): void {
    const leaf = leaves.findIndex(({ blocks }) => blocks.some((block) => block.chunk === chunk));
    if (leaf < 0) return;
    draw(leaf);
    at.current = chunk;
    current.value = chunk;
    requestAnimationFrame(() => {
      const article = feed.current?.querySelector<HTMLElement>(`[data-chunk="${chunk}"]`);
      article?.focus({ preventScroll: true });
      article?.scrollIntoView({ block: "nearest" });
    });
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const goals: Readonly<Record<string, number>> = {
      ArrowDown: at.current + 1,
      ArrowUp: at.current - 1,
      Home: 0,
      End: chunks.length - 1,
    };
    const goal = goals[event.key];
    if (goal === undefined || goal < 0 || goal >= chunks.length) return;
    event.preventDefault();
    focus(goal);
  }
  function point(event: Event): void {
    const article = (event.target as Element).closest<HTMLElement>("[data-chunk]");
    if (!article) return;
    current.value = Number(article.dataset.chunk);
    if (event.type !== "pointermove") at.current = current.value;
  }
  return (
    <div
      class={shown.mediaType.startsWith("text/x-") ? "reader mono" : "reader"}
      role="feed"
      aria-label={`${path} in ${chunks.length} chunks; arrow keys go from one to the next`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a feed takes the keys that go from chunk to chunk
      tabIndex={0}
      ref={feed}
      onKeyDown={onKeyDown}
      // not over: that comes too when the page moves under a pointer that rests
      onPointerMove={point}
      onFocusIn={point}
      onClick={point}
    >
      {leaves.map((leaf, i) => (
        <LeafView key={i} index={i} leaf={leaf} near={near} {...{ text, chunks, maxTokens, highlight }} />
      ))}
    </div>
  );
}

interface LeafProps extends Pick<ReaderProps, "chunks" | "maxTokens" | "highlight"> {
  readonly index: number;
  readonly leaf: Leaf;
  readonly text: string;
  readonly near: Signal<ReadonlySet<number>>;
}

/** Away from the window a leaf is its text alone, which the browser finds but does not lay out. */
function LeafView({ index, leaf, near, text, chunks, maxTokens, highlight }: LeafProps) {
  const isNear = useComputed(() => near.value.has(index)).value;
  // what an address asks for is drawn wherever it is
  const isAskedFor = highlight !== undefined && leaf.start < highlight.end && leaf.end > highlight.start;
  const height = useMemo(() => estimateHeight(text, leaf), [text, leaf]);
  return (
    <div class="leaf" data-leaf={index} style={{ containIntrinsicBlockSize: `auto ${height}px` }}>
      {isNear || isAskedFor
        ? leaf.blocks.map((block) => <BlockView key={block.start} {...{ block, text, chunks, maxTokens, highlight }} />)
        : text.slice(leaf.start, leaf.end)}
    </div>
  );
}

type BlockProps = Omit<LeafProps, "index" | "leaf" | "near"> & { readonly block: Block };

function BlockView({ block, text, chunks, maxTokens, highlight }: BlockProps) {
  const inside = <Pieces {...{ block, text, highlight }} />;
  const { chunk: index, endsInLine } = block;
  const chunk = index === undefined ? undefined : chunks[index];
  if (index === undefined || chunk === undefined) return <div class="uncut">{inside}</div>;
  const { numTokens, page } = chunk;
  return (
    <article
      class={`chunk ${index % 2 === 0 ? "even" : "odd"}${endsInLine ? " in-line" : ""}`}
      data-chunk={index}
      data-number={index + 1}
      data-size={`${numTokens} tokens${page === undefined ? "" : `\npage ${page}`}`}
      aria-label={chunkWords(chunk, index, chunks.length)}
      aria-posinset={index + 1}
      aria-setsize={chunks.length}
      tabIndex={-1}
      style={{ "--share": Math.min(1, numTokens / maxTokens) }}
    >
      <div class="chunk-text">{inside}</div>
    </article>
  );
}

/** The block's text: what the next chunk repeats, and what is highlighted, each in its own element. */
function Pieces({ block, text, highlight }: Pick<BlockProps, "block" | "text" | "highlight">) {
  const { start, next, end, repeatedFrom } = block;
  const plain = (from: number, to: number) => {
    const [middle, last] = [clamp(repeatedFrom, from, to), clamp(end, from, to)];
    return (
      <>
        {text.slice(from, middle)}
        {middle < last && (
          <span class="repeated" title="The next chunk begins with this text">
            {text.slice(middle, last)}
          </span>
        )}
        {last < to && <span class="gap">{text.slice(last, to)}</span>}
      </>
    );
  };
  const [from, to] = [clamp(highlight?.start ?? next, start, next), clamp(highlight?.end ?? next, start, next)];
  if (from >= to) return plain(start, next);
  return (
    <>
      {plain(start, from)}
      <mark tabIndex={-1}>{plain(from, to)}</mark>
      {plain(to, next)}
    </>
  );
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

const LINE_HEIGHT = 24;
const COLUMNS = 86;

/** Until it has been laid out once. */
const estimateHeight = (text: string, { start, end, blocks }: Leaf): number =>
  LINE_HEIGHT * lineCount(text.slice(start, end), COLUMNS) + 12 * blocks.length;

/** Follows which leaves are near the window. */
function useNearness(
  feed: { readonly current: HTMLElement | null },
  near: Signal<ReadonlySet<number>>,
  numLeaves: number,
): void {
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        const now = new Set(near.value);
        for (const { target, isIntersecting } of entries) {
          const leaf = Number((target as HTMLElement).dataset.leaf);
          // what has the focus stays drawn
          if (isIntersecting) now.add(leaf);
          else if (!target.contains(document.activeElement)) now.delete(leaf);
        }
        near.value = now;
      },
      { rootMargin: MARGIN },
    );
    for (const leaf of feed.current?.children ?? []) observer.observe(leaf);
    return () => observer.disconnect();
  }, [numLeaves]);
}

/** Scrolls to what is highlighted and gives it the focus, once for each address. */
function useHighlight(feed: { readonly current: HTMLElement | null }, highlight: Highlight | undefined): void {
  useLayoutEffect(() => {
    if (!highlight) return;
    const show = (): void => {
      const mark = feed.current?.querySelector("mark");
      mark?.scrollIntoView({ block: "center" });
      mark?.focus({ preventScroll: true });
    };
    const frame = requestAnimationFrame(show);
    // again when what is around it has been drawn: heights were estimates before
    const timer = setTimeout(show, 150);
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [feed, highlight]);
}
