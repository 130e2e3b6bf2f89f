/** @file Who may use a Studio that asks for a key: whoever sends it, or has the cookie that was given for it. */

import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import { Refusal } from "../refusal.js";
import { areEqual, digestOf } from "../secrets.js";

const COOKIE = "tessera-session";

/** Browsers send no headers with event streams and downloads, so the page changes the key for a cookie. */
export class SignIn {
  readonly #key: string | undefined;
  readonly #sessions = new Set<string>();

  /** @param key what is asked for; undefined lets everyone in who reaches the server. */
  constructor(key: string | undefined) {
    this.#key = key;
  }

  /** Lets requests pass that have the key or a session. @throws Refusal 401 */
  readonly required = createMiddleware(async (c, next) => {
    if (!(await this.#isKnown(c))) {
      throw new Refusal(401, "this server asks for its key; type in the one it was started with", "key");
    }
    await next();
  });

  /** Gives a session for the key. @throws Refusal 401 for another one. */
  async open(c: Context, key: string): Promise<void> {
    if (this.#key === undefined) return;
    if (!(await isSame(key, this.#key))) throw new Refusal(401, "this is not the key of this server", "key");
    const session = crypto.randomUUID();
    this.#sessions.add(session);
    setCookie(c, COOKIE, session, { httpOnly: true, sameSite: "Strict", path: "/" });
  }

  async #isKnown(c: Context): Promise<boolean> {
    if (this.#key === undefined) return true;
    if (this.#sessions.has(getCookie(c, COOKIE) ?? "")) return true;
    const bearer = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    return bearer !== undefined && (await isSame(bearer, this.#key));
  }
}

async function isSame(key: string, expected: string): Promise<boolean> {
  return areEqual(await digestOf(key), await digestOf(expected));
}
