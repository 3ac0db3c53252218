/** The display axis: a steady clock a fixed delay behind the newest sample, so that traces and heart move in step. */
const KEPT = 40; // blocks that the pace is read from: 2 s at real speed
const AWAY = 2; // [s] of samples that the axis may lie apart from where it should be

export class Axis {
  private arrived: [wall: number, at: number][] = [];
  private shown = -Infinity;

  /** `delay` behind the newest sample [s]. */
  constructor(public delay = 0.6) {}

  clear(): void { this.arrived = []; this.shown = -Infinity; }

  /** Samples up to `at` [s] came at `wall` [ms]. */
  heard(at: number, wall: number): void {
    this.arrived.push([wall, at]);
    if (this.arrived.length > KEPT) this.arrived.shift();
  }

  /** Where the axis is now [s]: never beyond what came, never backwards, but for a new start. */
  now(wall: number): number {
    const first = this.arrived[0], last = this.arrived[this.arrived.length - 1];
    if (!first || !last) return -Infinity;
    const lasted = last[0] - first[0], pace = lasted > 200 ? (last[1] - first[1]) / lasted : 1e-3;
    // The mean over the blocks, so that one that came late moves nothing.
    const mean = this.arrived.reduce((sum, [w, at]) => sum + at - pace * w, 0) / this.arrived.length;
    const wanted = Math.min(mean + pace * wall, last[1]) - this.delay;
    this.shown = Math.abs(wanted - this.shown) > AWAY ? wanted : Math.max(this.shown, wanted);
    return this.shown;
  }
}
