/** @file Which requests are let in: by a name that belongs to this server, and not from other sites. */

import { createMiddleware } from "hono/factory";
import { Refusal } from "./refusal.js";

const loopbackNames = ["localhost", "127.0.0.1", "[::1]"];
const wildcards = ["0.0.0.0", "[::]"];

/** Sent with every response. No inline code, nothing from elsewhere, no framing, nothing stored. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
};

export const addSecurityHeaders = createMiddleware(async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value);
});

/**
 * Refuses requests by other names than this server's. A site can point its own name to 127.0.0.1 after its page was loaded
 * (DNS rebinding); the browser then takes the server for that site, but still sends the site's name.
 * @param host name or address that the server listens on. Loopback names always hold; where it listens on all
 * addresses, so does every literal address, as no site can rebind one.
 */
export function requireOwnName(host?: string) {
  const own = host === undefined ? undefined : nameOf(host);
  return createMiddleware(async (c, next) => {
    const name = nameOf(c.req.header("host") ?? new URL(c.req.url).host);
    const isOwn = name !== undefined && (loopbackNames.includes(name) || name === own);
    if (!isOwn && !(own !== undefined && wildcards.includes(own) && isAddress(name))) {
      const names = [...loopbackNames, ...(own === undefined || loopbackNames.includes(own) ? [] : [own])];
      throw new Refusal(403, `this server answers to ${names.join(", ")}; start it with --host to add another name`);
    }
    await next();
  });
}

/** Refuses what another site's page sends: another port of the same machine is another site. */
export const requireSameOrigin = createMiddleware(async (c, next) => {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  const host = c.req.header("host") ?? new URL(c.req.url).host;
  const isForeignSite = site !== undefined && site !== "same-origin" && site !== "none";
  if (isForeignSite || (origin !== undefined && hostOf(origin) !== host)) {
    throw new Refusal(403, "requests from other sites are refused; open this server's own page");
  }
  await next();
});

/** The name in `name:port`, as URLs write it: lower case, IPv6 in brackets. Undefined if it is none. */
function nameOf(authority: string): string | undefined {
  const isBareIpv6 = authority.split(":").length > 2 && !authority.startsWith("[");
  const url = `http://${isBareIpv6 ? `[${authority}]` : authority}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function isAddress(name: string | undefined): boolean {
  return name !== undefined && /^(\[.*\]|[\d.]+)$/.test(name);
}
