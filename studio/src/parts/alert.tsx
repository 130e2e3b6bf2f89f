/** @file What went wrong and what to do. */
import type { ComponentChildren } from "preact";

export const Alert = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="alert" role="alert">
    {children}
  </p>
);
