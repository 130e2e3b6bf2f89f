/** @file A control under its label. */
import type { ComponentChildren } from "preact";

export interface FieldProps {
  /** Of the control. */
  readonly id: string;
  readonly label: ComponentChildren;
  readonly children: ComponentChildren;
}

export const Field = ({ id, label, children }: FieldProps) => (
  <div class="field">
    <label for={id}>{label}</label>
    {children}
  </div>
);
