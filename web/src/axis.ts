/** The display axis: a steady clock a fixed delay behind the sensors, so that traces and heart move in step. */
const KEPT = 200; // blocks that the pace is read from: 10 s at real speed
const AWAY = 2; // [s] of samples that the axis may lie apart from where it should be
const WAY = 0.03; // [s] kept for what the quickest block took on its way, and for a frame to reach the screen
const DECIDED = 0.35; // [s] after which an R is known: the axis never comes nearer to what came last, however late the rest
const NEAR = 0.02; // of a whole multiple of real time, which is what a server plays at

export class Axis {
  private arrived: [wall: number, at: number][] = [];
  private shown = -Infinity;

  /** `delay` behind the sensors [s]. */
  constructor(public delay = 0.6) {}

  clear(): void { this.arrived = []; this.shown = -Infinity; }

  /** Samples up to `at` [s] came at `wall` [ms]. */
  heard(at: number, wall: number): void {
    this.arrived.push([wall, at]);
    if (this.arrived.length > KEPT) this.arrived.shift();
  }

  /** How long nothing was heard at `wall` [ms]; 0 before the first. */
  silence(wall: number): number { return wall - (this.arrived[this.arrived.length - 1]?.[0] ?? wall); }

  /** Where the axis is now [s]: never beyond what is decided, never backwards, but for a new start. */
  now(wall: number): number {
    const first = this.arrived[0], last = this.arrived[this.arrived.length - 1];
    if (!first || !last) return -Infinity;
    const pace = paceOf(last[1] - first[1], last[0] - first[0]);
    // The block that was least late tells the sensors' time: how late others are, and a busy machine, moves nothing.
    let ahead = -Infinity;
    for (const [w, at] of this.arrived) ahead = Math.max(ahead, at - pace * w);
    const wanted = Math.min(ahead + pace * wall - (this.delay - WAY), last[1] - Math.min(DECIDED, this.delay));
    this.shown = Math.abs(wanted - this.shown) > AWAY ? wanted : Math.max(this.shown, wanted);
    return this.shown;
  }
}

/** Samples' seconds in a millisecond, from those that came in `lasted` [ms]. */
function paceOf(came: number, lasted: number): number {
  if (lasted <= 200) return 1e-3;
  const times = (1e3 * came) / lasted, whole = Math.max(1, Math.round(times));
  return (Math.abs(times / whole - 1) < NEAR ? whole : times) / 1e3;
}
