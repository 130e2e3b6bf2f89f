/** @file The cheapest set of nodes that stands between sources and sinks of a directed graph. */

/** Nodes are numbers from 0; every edge leads from a node to one that depends on it. */
export interface CutProblem {
  /** What cutting at each node costs. */
  readonly costs: readonly number[];
  readonly edges: readonly (readonly [from: number, to: number])[];
  readonly sources: readonly number[];
  readonly sinks: readonly number[];
}

/**
 * Nodes of least total cost that lie on every path from a source to a sink; of several such sets the one nearest to the
 * sinks. Sources and sinks may themselves be cut. Source: Ford and Fulkerson 1956 (max-flow min-cut), by shortest
 * augmenting paths (Edmonds and Karp 1972); each node is split in two with its cost between them.
 */
export function minimumCut({ costs, edges, sources, sinks }: CutProblem): number[] {
  const flow = new FlowNetwork(2 * costs.length + 2);
  const [source, sink] = [2 * costs.length, 2 * costs.length + 1];
  for (const [node, cost] of costs.entries()) flow.connect(2 * node, 2 * node + 1, cost);
  for (const [from, to] of edges) flow.connect(2 * from + 1, 2 * to, Number.POSITIVE_INFINITY);
  for (const node of sources) flow.connect(source, 2 * node, Number.POSITIVE_INFINITY);
  for (const node of sinks) flow.connect(2 * node + 1, sink, Number.POSITIVE_INFINITY);
  flow.saturate(source, sink);
  const beyond = flow.reaching(sink);
  return [...costs.keys()].filter((node) => !beyond.has(2 * node) && beyond.has(2 * node + 1));
}

/** Arcs in pairs: arc i and its reverse i ^ 1. */
class FlowNetwork {
  readonly #arcsOf: number[][];
  readonly #to: number[] = [];
  readonly #room: number[] = [];

  constructor(numNodes: number) {
    this.#arcsOf = Array.from({ length: numNodes }, () => []);
  }

  connect(from: number, to: number, capacity: number): void {
    this.#arcsOf[from]!.push(this.#to.push(to) - 1);
    this.#room.push(capacity);
    this.#arcsOf[to]!.push(this.#to.push(from) - 1);
    this.#room.push(0);
  }

  saturate(source: number, sink: number): void {
    for (let path = this.#shortestPath(source, sink); path; path = this.#shortestPath(source, sink)) {
      const amount = Math.min(...path.map((arc) => this.#room[arc]!));
      for (const arc of path) {
        this.#room[arc]! -= amount;
        this.#room[arc ^ 1]! += amount;
      }
    }
  }

  /** Nodes from which more could flow to `sink`. */
  reaching(sink: number): ReadonlySet<number> {
    const reached = new Set([sink]);
    for (const node of reached) {
      for (const arc of this.#arcsOf[node]!) if (this.#room[arc ^ 1]! > 0) reached.add(this.#to[arc]!);
    }
    return reached;
  }

  #shortestPath(source: number, sink: number): number[] | undefined {
    const reachedBy = new Map<number, number>([[source, -1]]);
    for (const node of reachedBy.keys()) {
      if (node === sink) break;
      for (const arc of this.#arcsOf[node]!) {
        if (this.#room[arc]! > 0 && !reachedBy.has(this.#to[arc]!)) reachedBy.set(this.#to[arc]!, arc);
      }
    }
    if (!reachedBy.has(sink)) return undefined;
    const path: number[] = [];
    for (let node = sink; node !== source; node = this.#to[path.at(-1)! ^ 1]!) path.push(reachedBy.get(node)!);
    return path;
  }
}
