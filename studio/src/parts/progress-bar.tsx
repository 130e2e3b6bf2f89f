/** @file How far something has come. */

export interface ProgressBarProps {
  readonly label: string;
  /** From 0 to 1; undefined where it is not known. */
  readonly share?: number | undefined;
  readonly detail?: string | undefined;
}

export function ProgressBar({ label, share, detail }: ProgressBarProps) {
  return (
    <div class="progress">
      <span class="progress-label">{label}</span>
      <progress max={1} value={share} aria-label={label} />
      <span class="quiet">{detail ?? (share === undefined ? "" : `${Math.floor(100 * share)} %`)}</span>
    </div>
  );
}
