const grouped = new Intl.NumberFormat("en", { useGrouping: true });

/** `4 718 592` with thin spaces: digits that change in place must not jump. */
export const digits = (value: number | bigint): string => grouped.format(value).replaceAll(",", "\u2009");

/** Bytes for people, in powers of 1000 as on packages. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1) return `${(milliseconds * 1000).toFixed(0)} µs`;
  if (milliseconds < 1000) return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`;
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

export const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
