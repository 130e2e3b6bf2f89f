/** @file Source code as it is, by language: read where a scan asks for code. A language is a row of the table. */
import { decodeText } from "../decode.js";
import type { Reader } from "../document.js";

function language<Name extends string>(name: Name, ...extensions: readonly string[]) {
  return { name, mediaType: `text/x-${name}`, extensions, fileNames: [], isCode: true, read: decodeText } as const;
}

export const sourceCode = {
  typescript: language("typescript", ".ts", ".mts", ".cts"),
  tsx: language("tsx", ".tsx"),
  javascript: language("javascript", ".js", ".jsx", ".mjs", ".cjs"),
  python: language("python", ".py", ".pyi"),
  go: language("go", ".go"),
  rust: language("rust", ".rs"),
  java: language("java", ".java"),
  kotlin: language("kotlin", ".kt", ".kts"),
  scala: language("scala", ".scala"),
  c: language("c", ".c", ".h"),
  cpp: language("cpp", ".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx"),
  csharp: language("csharp", ".cs"),
  swift: language("swift", ".swift"),
  ruby: language("ruby", ".rb"),
  php: language("php", ".php"),
  lua: language("lua", ".lua"),
  r: language("r", ".r"),
  julia: language("julia", ".jl"),
  haskell: language("haskell", ".hs"),
  elixir: language("elixir", ".ex", ".exs"),
  shell: language("shell", ".sh", ".bash", ".zsh"),
  sql: language("sql", ".sql"),
  css: language("css", ".css", ".scss"),
} as const satisfies Record<string, Reader>;
