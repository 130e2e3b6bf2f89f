/** @file Which view the address shows: `#/documents?path=a.md&start=3`. */

import { computed, signal } from "@preact/signals";

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

/** Name of the view and what it is asked to show. */
export const route = computed(() => {
  const [name = "", query = ""] = hash.value.replace(/^#\/?/, "").split("?");
  return { name: name === "" ? "home" : name, query: new URLSearchParams(query) };
});

/** The address of a view, for links. */
export function linkTo(name: string, query: Readonly<Record<string, string | number | undefined>> = {}): string {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, `${value}`]]));
  return `#/${name}${given.length > 0 ? `?${new URLSearchParams(given)}` : ""}`;
}

export function goTo(name: string, query?: Readonly<Record<string, string | number | undefined>>): void {
  location.hash = linkTo(name, query);
}
