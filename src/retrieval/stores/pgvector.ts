/** @file An index in PostgreSQL with pgvector, for those who outgrow one machine: the same terms, scores and filters. */
import { type DataError, UnsupportedError } from "../../base/errors.js";
import { b, k1 } from "../bm25.js";
import { parseFilter } from "../filter.js";
import { queryTerms } from "../terms.js";
import type { Scored } from "../top-k.js";
import { termsOf, writeContent } from "./chunk-content.js";
import { combineLists, searchDepth } from "./hybrid.js";
import { filterSql, Parameters } from "./pgvector-filter.js";
import { preparePostgres, storedEmbedding } from "./pgvector-schema.js";
import { type Connection, codeOf, PostgresServer } from "./pgvector-server.js";
import {
  type Choose,
  type DocumentChunks,
  type Embedding,
  type Hit,
  type Keyed,
  type Query,
  type RankedKey,
  rebuildAdvice,
  type Store,
  type StoreDef,
  type StoredChunk,
  StoreError,
  type WithChunk,
} from "./store.js";
import {
  checkDocuments,
  checkEmbedding,
  checkQuery,
  duplicateId,
  embeddingProblem,
  isStorable,
} from "./store-checks.js";

/** Candidates that the graph of vectors is searched for; more find more and take longer. pgvector takes at most 1000. */
const leastCandidates = 200;
const mostCandidates = 1000;

/** Rows of postings in one statement. */
const postingsPerInsert = 50_000;

export const pgvector: StoreDef = {
  name: "pgvector",
  schemes: ["postgres", "postgresql"],
  skips: {
    "says so when the folder is a file": "it has no folder",
    "works or reports damage, and never crashes, when bytes of its files change": "its files are the server's",
    "copies what it has while it is used": "PostgreSQL has its own backups",
  },
  async open(address, options = {}) {
    if (options.embedding !== undefined) checkEmbedding(options.embedding);
    const server = await PostgresServer.open(address);
    try {
      return new PostgresStore(server, await preparePostgres(server, options));
    } catch (thrown) {
      await server.close();
      throw thrown;
    }
  },
};

interface ChunkRow {
  readonly number: string;
  readonly id: string;
  readonly path: string;
  readonly hash: string;
  readonly metadata: NonNullable<StoredChunk["metadata"]>;
  readonly content: string;
  readonly vector?: string;
}

class PostgresStore implements Store {
  readonly embedding: Embedding | undefined;
  readonly #server: PostgresServer;

  constructor(server: PostgresServer, embedding: Embedding | undefined) {
    this.embedding = embedding;
    this.#server = server;
  }

  async replace(documents: readonly DocumentChunks[]): Promise<void> {
    checkDocuments(documents, this.embedding);
    await this.#write("writing", async (connection) => {
      await this.#remove(
        connection,
        documents.map(({ path }) => path),
      );
      for (const document of documents) await this.#add(connection, document);
    });
  }

  async remove(paths: readonly string[]): Promise<void> {
    await this.#write("writing", (connection) => this.#remove(connection, paths));
  }

  async documents(): Promise<ReadonlyMap<string, string>> {
    return this.#read("reading", async (connection) => {
      const { rows } = await connection.query<{ path: string; hash: string }>(
        `select path, hash from ${this.#table("documents")} order by path`,
      );
      return new Map(rows.map(({ path, hash }) => [path, hash]));
    });
  }

  async chunks(path: string): Promise<StoredChunk[]> {
    return this.#read("reading", async (connection) => {
      const { rows } = await connection.query<ChunkRow>(
        `${this.#selectChunks()} where path = any($1::text[]) order by c.number`,
        [[path].filter(isStorable)],
      );
      return rows.map(chunkOf).sort((x, y) => x.start - y.start || x.end - y.end);
    });
  }

  async count(): Promise<number> {
    return this.#read("reading", async (connection) => {
      const { rows } = await connection.query<{ chunks: string }>(`select chunks from ${this.#table("totals")}`);
      return Number(rows[0]!.chunks);
    });
  }

  query(query: Query): Promise<Hit[]> {
    return this.search([query], ([found]) => found!);
  }

  async search<T extends Keyed>(queries: readonly Query[], choose: Choose<T>): Promise<WithChunk<T>[]> {
    for (const query of queries) checkQuery(query, this.embedding);
    return this.#read("searching", async (connection) => {
      const lists: RankedKey[][] = [];
      for (const query of queries) lists.push(await this.#rank(connection, query));
      const chosen = choose(lists);
      const { rows } = await connection.query<ChunkRow>(`${this.#selectChunks()} where c.number = any($1::bigint[])`, [
        chosen.map(({ key }) => key),
      ]);
      const chunks = new Map(rows.map((row) => [Number(row.number), chunkOf(row)]));
      return chosen.map((item) => ({ ...item, chunk: chunks.get(item.key)! }));
    });
  }

  /** Compares the counts that ranking uses with the rows; the bytes themselves have the server's checksums. */
  async verify(): Promise<void> {
    await this.#read("verifying", async (connection) => {
      const { rows } = await connection.query<{ is_right: boolean }>(`
        select t.chunks = (select count(*) from ${this.#table("chunks")})
          and t.length = (select coalesce(sum(length), 0) from ${this.#table("chunks")})
          and not exists (
            select from ${this.#table("postings")} p
            where not exists (select from ${this.#table("chunks")} c where c.number = p.chunk)
          ) as is_right
        from ${this.#table("totals")} t`);
      if (rows.length === 1 && rows[0]!.is_right) return;
      throw new StoreError(
        `reading the index ${this.#server.place}: damaged (chunks that are missing or too many); ${rebuildAdvice}`,
      );
    });
  }

  async compact(): Promise<void> {
    const tables = ["documents", "chunks", "postings"].map((name) => `vacuum analyze ${this.#table(name)}`);
    await this.#server.maintain("compacting", (connection) => this.#checkSame(connection), tables);
  }

  async snapshot(): Promise<void> {
    throw new UnsupportedError(
      `copying the index ${this.#server.place}: PostgreSQL has its own backups; use pg_dump --schema`,
    );
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #table(name: string): string {
    return `${this.#server.schema}.${name}`;
  }

  #read<T>(operation: string, body: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#server.read(operation, body);
  }

  #write(operation: string, body: (connection: Connection) => Promise<void>): Promise<void> {
    return this.#server.write(operation, (connection) => this.#checkSame(connection), body);
  }

  /** The index may have been built again, with other vectors, since it was opened here. */
  async #checkSame(connection: Connection): Promise<void> {
    const stored = await storedEmbedding(this.#server, connection);
    const isSame =
      this.embedding === undefined ? stored === undefined : embeddingProblem(stored, this.embedding) === undefined;
    if (isSame) return;
    throw new StoreError(
      `writing the index ${this.#server.place}: it was built again since it was opened here; open it once more`,
    );
  }

  #selectChunks(): string {
    const vector = this.embedding === undefined ? "" : ", vector::text as vector";
    return `select c.number, id, path, hash, metadata, content${vector}
      from ${this.#table("chunks")} c join ${this.#table("documents")} d on d.number = c.document`;
  }

  async #remove(connection: Connection, paths: readonly string[]): Promise<void> {
    const { rows } = await connection.query<ChunkRow & { length: number }>(
      `select c.number, path, content, length from ${this.#table("chunks")} c
       join ${this.#table("documents")} d on d.number = c.document where path = any($1::text[])`,
      [paths.filter(isStorable)],
    );
    const postings = rows.flatMap(({ number, path, content }) =>
      [...termsOf(path, JSON.parse(content)).counts.keys()].map((term) => ({ term, number })),
    );
    await connection.query(
      `delete from ${this.#table("postings")} p using unnest($1::text[], $2::bigint[]) as gone(term, chunk)
       where p.term = gone.term and p.chunk = gone.chunk`,
      [postings.map(({ term }) => term), postings.map(({ number }) => number)],
    );
    await connection.query(`delete from ${this.#table("documents")} where path = any($1::text[])`, [
      paths.filter(isStorable),
    ]);
    const length = rows.reduce((sum, row) => sum + row.length, 0);
    await this.#addTotals(connection, -rows.length, -length);
  }

  async #add(connection: Connection, { path, hash, chunks, metadata = {} }: DocumentChunks): Promise<void> {
    const inserted = await connection.query<{ number: string }>(
      `insert into ${this.#table("documents")} (path, hash, metadata) values ($1, $2, $3::jsonb) returning number`,
      [path, hash, JSON.stringify(metadata)],
    );
    if (chunks.length === 0) return;
    const terms = chunks.map((chunk) => termsOf(path, chunk));
    const lengths = terms.map(({ numPositions }) => Math.max(1, numPositions));
    const numbers = await this.#addChunks(connection, inserted.rows[0]!.number, { path, chunks, lengths });
    const postings = terms.flatMap(({ counts }, i) => [...counts].map(([term, count]) => [term, numbers[i], count]));
    for (let start = 0; start < postings.length; start += postingsPerInsert) {
      const some = postings.slice(start, start + postingsPerInsert);
      await connection.query(
        `insert into ${this.#table("postings")} select * from unnest($1::text[], $2::bigint[], $3::integer[])`,
        [0, 1, 2].map((column) => some.map((posting) => posting[column])),
      );
    }
    await this.#addTotals(
      connection,
      chunks.length,
      lengths.reduce((sum, length) => sum + length, 0),
    );
  }

  /** @returns the numbers of the chunks, in their order. */
  async #addChunks(
    connection: Connection,
    document: string,
    { path, chunks, lengths }: Pick<DocumentChunks, "path" | "chunks"> & { readonly lengths: readonly number[] },
  ): Promise<number[]> {
    const [column, values] = this.embedding === undefined ? ["", ""] : [", vector", ", vector::vector"];
    const ids = chunks.map(({ id }) => id);
    try {
      const { rows } = await connection.query<{ id: string; number: string }>(
        `insert into ${this.#table("chunks")} (document, id, content, length${column})
         select $1::bigint, id, content, length${values}
         from unnest($2::text[], $3::text[], $4::integer[], $5::text[]) with ordinality
           as t(id, content, length, vector, place) order by place returning id, number`,
        [
          document,
          ids,
          chunks.map((chunk) => writeContent(chunk)),
          lengths,
          chunks.map(({ vector }) => (vector === undefined ? null : `[${vector.join(",")}]`)),
        ],
      );
      const numbers = new Map(rows.map(({ id, number }) => [id, Number(number)]));
      return ids.map((id) => numbers.get(id)!);
    } catch (thrown) {
      if (codeOf(thrown) !== "23505") throw thrown;
      throw duplicateOf(path, ids, thrown);
    }
  }

  async #addTotals(connection: Connection, chunks: number, length: number): Promise<void> {
    if (chunks === 0) return;
    await connection.query(`update ${this.#table("totals")} set chunks = chunks + $1, length = length + $2`, [
      chunks,
      length,
    ]);
  }

  async #rank(connection: Connection, query: Query): Promise<RankedKey[]> {
    const { text, vector, limit } = query;
    const lists = {
      text: text === undefined ? undefined : await this.#byText(connection, text, query),
      vector: vector === undefined ? undefined : await this.#byVector(connection, vector, query),
    };
    return combineLists(lists, limit);
  }

  /** BM25 as `rankByBm25` computes it: statistics are those of the whole index, a filter leaves scores as they are. */
  async #byText(connection: Connection, text: string, query: Query): Promise<Scored[]> {
    const counts = queryTerms(text);
    const parameters = new Parameters();
    const terms = parameters.add([...counts.keys()]);
    const weights = parameters.add([...counts.values()]);
    const { rows } = await connection.query<{ key: string; score: number }>(
      `with found as (
         select chunk, count, weight, count(*) over (partition by p.term)::float8 as frequency
         from unnest(${terms}::text[], ${weights}::float8[]) as q(term, weight)
         join ${this.#table("postings")} p on p.term = q.term
       )
       select chunk as key, sum(
         weight * ln(1 + (t.chunks - frequency + 0.5) / (frequency + 0.5)) * count * ${k1 + 1}
         / (count + ${k1} * (${1 - b} + ${b} * c.length * t.chunks / t.length::float8))
       )::float8 as score
       from found join ${this.#table("chunks")} c on c.number = chunk cross join ${this.#table("totals")} t
       where ${this.#condition(query, parameters)}
       group by chunk order by score desc, chunk limit ${searchDepth(query)}`,
      parameters.values,
    );
    return rows.map(({ key, score }) => ({ key: Number(key), score }));
  }

  async #byVector(connection: Connection, vector: Float32Array, query: Query): Promise<Scored[]> {
    const depth = searchDepth(query);
    const parameters = new Parameters();
    const target = `${parameters.add(`[${vector.join(",")}]`)}::vector`;
    const isFiltered = query.paths !== undefined || query.filter !== undefined;
    // what a filter leaves is compared one by one: the graph may end before it has met enough of it
    const isExact = isFiltered || depth > mostCandidates;
    const candidates = isExact
      ? `(select number, vector from ${this.#table("chunks")} c where ${this.#condition(query, parameters)} offset 0)`
      : this.#table("chunks");
    if (!isExact) {
      const numCandidates = Math.min(mostCandidates, Math.max(leastCandidates, 2 * depth));
      await connection.query(`set local hnsw.ef_search = ${numCandidates}`);
    }
    const { rows } = await connection.query<{ key: string; score: number }>(
      `select number as key, -(vector <#> ${target}) as score from ${candidates} c
       order by vector <#> ${target} limit ${depth}`,
      parameters.values,
    );
    return rows.map(({ key, score }) => ({ key: Number(key), score }));
  }

  /** On the table of chunks, called c. */
  #condition({ paths, filter }: Query, parameters: Parameters): string {
    const ofDocuments = [
      ...(paths === undefined ? [] : [`path = any(${parameters.add(paths.filter(isStorable))}::text[])`]),
      ...(filter === undefined ? [] : [filterSql(parseFilter(filter), "metadata", parameters)]),
    ];
    if (ofDocuments.length === 0) return "true";
    return `c.document in (select number from ${this.#table("documents")} where ${ofDocuments.join(" and ")})`;
  }
}

function chunkOf({ id, path, hash, metadata, content, vector }: ChunkRow): StoredChunk {
  return {
    id,
    path,
    documentHash: hash,
    ...JSON.parse(content),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(vector !== undefined && { vector: Float32Array.from(JSON.parse(vector)) }),
  };
}

/** The server names the id in its details: `Key (id)=(a#0) already exists.` */
function duplicateOf(path: string, ids: readonly string[], thrown: unknown): DataError {
  const detail = thrown instanceof Error && "detail" in thrown ? String(thrown.detail) : "";
  return duplicateId(path, ids.find((id) => detail.includes(`(${id})`)) ?? "of several");
}
