/** The range that a trace is drawn in: round, and steady, so that a trace does not jump with each beat. */
export interface Range { low: number; high: number; step: number }

/** A round step (1, 2 or 5 times a power of ten), two to five of which span `spread`. */
export function stepOf(spread: number): number {
  const least = Math.max(spread, 1e-9) / 4, power = 10 ** Math.floor(Math.log10(least));
  return power * (least / power <= 1 ? 1 : least / power <= 2 ? 2 : least / power <= 5 ? 5 : 10);
}

/** The range for values within `low` to `high`: grows at once, shrinks when less than half is used. */
export function steady(before: Range | null, low: number, high: number): Range {
  if (before && low >= before.low && high <= before.high && high - low > (before.high - before.low) / 2) return before;
  const step = stepOf(high - low);
  const bottom = Math.floor(low / step) * step, top = Math.ceil(high / step) * step;
  return { low: bottom, high: top > bottom ? top : bottom + step, step };
}

/** At most `most` round values of a range, evenly apart, the lowest first. */
export function ticks(r: Range, most: number): number[] {
  const first = Math.round(r.low / r.step), count = Math.round((r.high - r.low) / r.step) + 1;
  const every = Math.max(1, Math.ceil((count - 1) / Math.max(1, most - 1)));
  return Array.from({ length: Math.ceil(count / every) }, (_, i) => (first + i * every) * r.step);
}
