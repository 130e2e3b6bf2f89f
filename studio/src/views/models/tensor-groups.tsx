/** @file The tensors of a model, layer by layer; each can be chosen to be drawn. */

import { useState } from "preact/hooks";
import type { ModelTensor, TensorGroup } from "../../../../src/server/studio/wire/index.js";
import { bytes, count, plural } from "../../format.js";

export interface TensorGroupsProps {
  readonly groups: readonly TensorGroup[];
  readonly numParameters: number;
  readonly chosen: string | undefined;
  readonly onChoose: (name: string) => void;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function TensorGroups({ groups, ...props }: TensorGroupsProps) {
  return (
    <div class="groups">
      {groups.map((group) => (
        <Group key={group.name} group={group} {...props} />
      ))}
    </div>
  );
}

type GroupProps = Omit<TensorGroupsProps, "groups"> & { readonly group: TensorGroup };

/** Its rows are drawn when it is open: a model may have hundreds of layers. */
function Group({ group: { name, tensors }, chosen, numParameters, onChoose }: GroupProps) {
  const [isOpen, setOpen] = useState(() => tensors.some((tensor) => tensor.name === chosen));
  const own = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const size = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="group-name">{name}</span>
        <span class="quiet">
          {plural(tensors.length, "tensor")} · {count(own)} · {bytes(size)} · {((100 * own) / numParameters).toFixed(1)}{" "}
          %
        </span>
      </summary>
      {isOpen && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">tensor</th>
                <th scope="col">shape</th>
                <th scope="col">type</th>
                <th scope="col" class="number">
                  size
                </th>
                <th scope="col" class="number">
                  share
                </th>
              </tr>
            </thead>
            <tbody>
              {tensors.map((tensor) => (
                <Row key={tensor.name} {...{ tensor, numParameters, onChoose }} isChosen={tensor.name === chosen} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

interface RowProps {
  readonly tensor: ModelTensor;
  readonly numParameters: number;
  readonly isChosen: boolean;
  readonly onChoose: (name: string) => void;
}

function Row({ tensor: { name, part, shape, type, bytes: size }, numParameters, isChosen, onChoose }: RowProps) {
  return (
    <tr class={isChosen ? "chosen" : ""}>
      <td>
        <button type="button" class="tensor" aria-pressed={isChosen} title={name} onClick={() => onChoose(name)}>
          <span class={`part-swatch part-${part}`} aria-hidden="true" />
          {shortName(name)}
        </button>
      </td>
      <td>{shape.join(" × ")}</td>
      <td>{type}</td>
      <td class="number">{bytes(size)}</td>
      <td class="number">{((100 * sizeOf(shape)) / numParameters).toFixed(2)} %</td>
    </tr>
  );
}

/** What tells it from the others of its layer. */
const shortName = (name: string): string => name.replace(/^.*?\b(?:layers?|h|blk|block|blocks)\.\d+\./, "");
