/** @file What is particular to the PostgreSQL index: addresses, versions, other programs' tables, connections that break. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type TestPostgres } from "../../../test/support/postgres.js";
import { ConfigError, UnsupportedError } from "../../base/errors.js";
import { openStore } from "../index.js";
import { pgvector } from "./pgvector.js";
import { StoreError } from "./store.js";

let server: TestPostgres;
let client: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
  client = new pg.Client(server.address);
  client.on("error", () => {});
  await client.connect();
}, 60_000);
afterAll(async () => {
  await client.end();
  await server[Symbol.asyncDispose]();
});

let numSchemas = 0;
const newAddress = (): string => `${server.address}?schema=own_${process.pid}_${numSchemas++}`;
const schemaOf = (address: string): string => new URL(address).searchParams.get("schema")!;

const chunk = { id: "a#0", start: 0, end: 5, text: "hello", headingPath: [], numTokens: 1 };
const document = { path: "a", hash: "h", chunks: [chunk] };

describe("the PostgreSQL index", () => {
  it("is opened by its address, in a schema of its own", async () => {
    const [one, other] = [newAddress(), newAddress()];
    await using store = await openStore(one);
    await using empty = await openStore(other);
    await store.replace([document]);
    expect([await store.count(), await empty.count()]).toEqual([1, 0]);
    await expect(openStore("milvus://host/db")).rejects.toThrow(/scheme milvus; there are postgres, postgresql/);
  });

  it("says what is wrong with an address, and never the password", async () => {
    const wrong = [
      "postgres://me:secret@127.0.0.1:1/db",
      "postgres://me:secret@",
      "postgres://me:secret@h/d?schema=No",
    ];
    for (const address of wrong) {
      const opened = pgvector.open(address);
      await expect(opened).rejects.toThrow(/not reached|expected postgres|small letters/);
      await expect(opened).rejects.not.toThrow(/secret/);
    }
    await expect(pgvector.open(wrong[0]!)).rejects.toThrow(StoreError);
    await expect(pgvector.open(wrong[2]!)).rejects.toThrow(ConfigError);
    const embedding = { model: "m", dimension: 20_000 };
    await expect(pgvector.open(newAddress(), { embedding })).rejects.toThrow(/at most 16000 dimensions/);
  });

  it("leaves tables of another program alone, even when it is to build again", async () => {
    const address = newAddress();
    await client.query(`create schema ${schemaOf(address)}; create table ${schemaOf(address)}.meta (x int)`);
    for (const rebuild of [false, true]) {
      await expect(pgvector.open(address, { rebuild })).rejects.toThrow(/another program's; choose another schema/);
    }
    expect((await client.query(`select * from ${schemaOf(address)}.meta`)).rows).toEqual([]);
  });

  it("does not read a newer format, unless it is to build again", async () => {
    const address = newAddress();
    await (await pgvector.open(address)).close();
    await client.query(`update ${schemaOf(address)}.meta set value = '99' where key = 'format'`);
    await expect(pgvector.open(address)).rejects.toThrow(/format 99; use a newer Tessera, or build it again/);
    await using store = await pgvector.open(address, { rebuild: true });
    expect(await store.count()).toBe(0);
  });

  it("notices counts that are wrong, and vectors that are others now", async () => {
    const address = newAddress();
    const store = await pgvector.open(address);
    await store.replace([document]);
    await client.query(`update ${schemaOf(address)}.totals set chunks = 7`);
    await expect(store.verify()).rejects.toThrow(/damaged.*tessera index --rebuild/);
    await store.close();
    const reader = await pgvector.open(address);
    const embedding = { model: "m", dimension: 2 };
    await (await pgvector.open(address, { embedding, rebuild: true })).close();
    await expect(reader.replace([document])).rejects.toThrow(/built again since it was opened here/);
    await reader.close();
  });

  it("compares vectors one by one where the graph takes none", async () => {
    await using store = await pgvector.open(newAddress(), { embedding: { model: "m", dimension: 2100 } });
    const axis = (i: number): Float32Array => Float32Array.from({ length: 2100 }, (_, k) => Number(k === i));
    const chunks = [0, 1, 2].map((i) => ({ ...chunk, id: `${i}`, vector: axis(i) }));
    await store.replace([{ ...document, chunks }]);
    const hits = await store.query({ vector: axis(1), limit: 2000 });
    expect(hits).toHaveLength(3);
    expect(hits[0]).toMatchObject({ chunk: { id: "1", vector: axis(1) }, score: 1 });
    await expect(store.snapshot("x")).rejects.toThrow(UnsupportedError);
  });

  it("reports connections that break, and goes on with new ones", async () => {
    const sockets = new Set<Socket>();
    const { hostname, port } = new URL(server.address);
    const proxy = createServer((socket) => {
      const upstream = connect(Number(port), hostname);
      for (const end of [socket, upstream]) {
        sockets.add(end);
        end.on("error", () => {});
      }
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = new URL(newAddress());
    address.port = String((proxy.address() as AddressInfo).port);
    const store = await pgvector.open(address.href);
    await store.replace([document]);
    const chunks = Array.from({ length: 400 }, (_, i) => ({ ...chunk, id: `${i}`, text: `word${i} `.repeat(100) }));
    const broken = store.replace([{ path: "b", hash: "h", chunks }]);
    setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, 20);
    await expect(broken).rejects.toThrow(/the connection broke/);
    await store.replace([{ path: "c", hash: "h", chunks: [{ ...chunk, id: "c#0" }] }]);
    expect([...(await store.documents()).keys()]).toEqual(["a", "c"]);
    await store.verify();
    await store.close();
    await new Promise((resolve) => proxy.close(resolve));
  });

  it("does several things at once, writes one after the other", async () => {
    await using store = await pgvector.open(newAddress());
    const writes = Array.from({ length: 6 }, (_, i) =>
      store.replace([{ path: `${i}`, hash: "h", chunks: [{ ...chunk, id: `${i}` }] }]),
    );
    const reads = Array.from({ length: 6 }, () => store.query({ text: "hello", limit: 10 }));
    await Promise.all([...writes, ...reads]);
    expect(await store.count()).toBe(6);
    await store.verify();
  });
});
