/** @file Makes a template show where its `{% generation %}` blocks begin and end, which Jinja has no word for. */

const tag = /\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}/g;

/** Private characters of plane 15, which fonts and texts do without. */
const open = "\u{f5e4a}";
const close = "\u{f5e4b}";

export interface MarkedTemplate {
  readonly source: string;
  readonly open: string;
  readonly close: string;
}

/**
 * The template with each block as a call block of a macro that puts marks around it; undefined where there is none.
 * The tags keep their white space control and their scope. The line end after the macro is the one that `trim_blocks`
 * takes.
 */
export function markGenerations(source: string): MarkedTemplate | undefined {
  if (source.search(tag) < 0) return undefined;
  const called = source.replace(tag, (_, before: string, end: string | undefined, after: string) =>
    end === undefined ? `{%${before} call tessera_generation() ${after}%}` : `{%${before} endcall ${after}%}`,
  );
  const macro = `{% macro tessera_generation() %}${open}{{ caller() }}${close}{% endmacro %}\n`;
  return { source: macro + called, open, close };
}
