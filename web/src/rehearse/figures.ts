/** Numbers as they are read, with no more figures than some hundred members know. */

const minus = (text: string): string => text.replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−");

/** A number with three figures; a dash where nobody lives. */
export function said(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "—";
  return minus(Math.abs(value) >= 99.5 ? value.toFixed(0) : String(Number(value.toPrecision(3))));
}

/** A number with so many decimals; a dash where nobody lives. */
export function rounded(value: number | null | undefined, decimals: number): string {
  return value === null || value === undefined || !Number.isFinite(value) ? "—" : minus(value.toFixed(decimals));
}

/** One decimal below ten, none above: more would say more than some hundred members know. */
export const fixed = (value: number): string => minus(value.toFixed(Math.abs(value) < 9.95 ? 1 : 0));

/** A chance [%] that is neither none nor sure unless it is. */
export function percent(share: number): string {
  const hundred = 100 * share, size = Math.abs(hundred);
  return minus((size > 0 && size < 1) || (size > 99 && size < 100) ? hundred.toFixed(1) : hundred.toFixed(0));
}

/** A time on the axis of a rehearsal [s]: 45 s, 3:05 min, 1:20 h. */
export function clock(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "—";
  const whole = Math.round(seconds), two = (n: number): string => String(n).padStart(2, "0");
  if (whole < 120) return `${whole} s`;
  const [big, small, unit] = whole < 7200 ? [Math.floor(whole / 60), whole % 60, "min"] : [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, "h"];
  return small ? `${big}:${two(small)} ${unit}` : `${big} ${unit}`;
}
