/** @file A model that the Studio knows, or one at a path. */

import type { RunChoices } from "../../../src/server/studio/wire/index.js";

export interface ModelPickerProps {
  readonly id: string;
  readonly bases: RunChoices["bases"];
  /** Path of the chosen one. */
  readonly path: string;
  onChange(path: string): void;
}

const ELSEWHERE = "";

export function ModelPicker({ id, bases, path, onChange }: ModelPickerProps) {
  const isKnown = bases.some((base) => base.path === path);
  return (
    <>
      <select id={id} value={isKnown ? path : ELSEWHERE} onChange={(event) => onChange(event.currentTarget.value)}>
        {bases.map((base) => (
          <option key={base.path} value={base.path}>
            {base.label}
          </option>
        ))}
        <option value={ELSEWHERE}>one at another path …</option>
      </select>
      {!isKnown && (
        <input
          aria-label="Path of the model on the server's machine"
          placeholder="/path/to/model: a folder, a GGUF or a llama2.c file"
          value={path}
          onChange={(event) => onChange(event.currentTarget.value.trim())}
        />
      )}
    </>
  );
}
