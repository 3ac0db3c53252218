/**
 * The display axis: a fixed delay behind the sensors, so that the next R is known before the picture
 * needs it. Nothing is extrapolated that has not been decided; a picture never runs backwards.
 */
import { type BeatKind, type ByChamber, CHAMBERS, type HeartFrame, VALVES } from "./frame";

/** Of the display axis behind the sensors [s]. An R is decided about 0.3 s after it. */
export const DELAY = 0.6;
/** The atria contract for so long before R, where there is a P wave [s]. */
const KICK = 0.16;
const HOLD = 1.5; // intervals without an R after which the picture is stale
const LONGEST = 0.75; // share of an interval that systole may take
const WEAK = 0.4; // share of the ejected volume that a beat from a ventricle does not eject
const DEFAULT_PEP = 0.08; // [s]

export interface RPeak { /** [s] */ at: number; kind: BeatKind; /** Interval before it [s]. */ rr: number; /** Whether a P wave came before it: none in atrial fibrillation. */ p: boolean }

/** One settled beat of the twin, from R to R, evenly sampled; see the server's cycle message. */
export interface Cycle {
  length: { value: number }; pre_ejection: { value: number }; ejection: { value: number };
  chambers: Record<keyof ByChamber, { volume: { value: readonly number[] }; pressure: { value: readonly number[] }; saturation: number; wall?: readonly number[] | null }>;
  valves: Record<(typeof VALVES)[number], { flow: readonly number[]; opening: readonly number[] }>;
}

/** Left ventricular ejection time at a heart rate [1/min] after Weissler [s]. */
export const ejectionTime = (rate: number, male = true): number => (male ? 413 - 1.7 * rate : 418 - 1.6 * rate) / 1e3;

/** Phase of the cycle's curves at phi = time over interval: the first share `e` of the interval is systole, which ends at `endSystole`. */
export const warp = (phi: number, e: number, endSystole: number): number =>
  phi < e ? (phi / e) * endSystole : endSystole + ((phi - e) / (1 - e)) * (1 - endSystole);

/** Ejection time of a beat after an interval: the twin's own, changed with the rate by Weissler's slope [s]. */
function ejectionAfter(cycle: Cycle, rr: number, male: boolean): number {
  const usual = ejectionTime(60 / cycle.length.value, male), own = finite(cycle.ejection.value, usual);
  return Math.max(0.1, Math.min(own + ejectionTime(60 / rr, male) - usual, LONGEST * rr - preEjection(cycle)));
}
const preEjection = (cycle: Cycle): number => finite(cycle.pre_ejection.value, DEFAULT_PEP);
const finite = (x: number | null | undefined, otherwise: number): number => (typeof x === "number" && Number.isFinite(x) ? x : otherwise);

/** Index of the newest R at or before t; -1 before the first. */
export function newest(peaks: readonly RPeak[], t: number): number {
  let low = 0, high = peaks.length;
  while (low < high) { const mid = (low + high) >> 1; if (peaks[mid]!.at <= t) low = mid + 1; else high = mid; }
  return low - 1;
}

/** Phase reached when a heart has filled for so long, at its own pace, from one phase to another. */
const filled = (time: number, from: number, to: number, length: number): number => Math.min(to, from + Math.max(0, time) / length);

/**
 * Phase of the cycle's curves `since` seconds after R. Systole keeps its length, the filling its pace;
 * then the heart rests until the kick of the atria, which is timed by the next R and so needs it known.
 */
export function curvePhase(since: number, before: number, next: number | null, nextHasP: boolean, cycle: Cycle, male = true): number {
  const pre = preEjection(cycle), ejection = ejectionAfter(cycle, before, male), n = cycle.length.value, shut = pre + ejection;
  const opens = pre / n, shuts = opens + finite(cycle.ejection.value, ejectionTime(60 / n, male)) / n;
  if (since < pre) return (since / pre) * opens;
  if (since < shut) return opens + ((since - pre) / ejection) * (shuts - opens);
  const kick = Math.max(shuts + 1e-3, 1 - KICK / n);
  const lasts = next === null || !nextHasP ? 0 : Math.min(KICK, next - shut);
  if (next === null || lasts <= 0 || since < next - lasts) return filled(since - shut, shuts, kick, n);
  // A ventricle that has had no time to fill is not filled by the kick either.
  const reached = filled(next - lasts - shut, shuts, kick, n), fullness = (reached - shuts) / (kick - shuts);
  const target = Math.min(1 - 1e-6, Math.max(filled(next - shut, shuts, kick, n), reached + (1 - kick) * fullness));
  return reached + Math.min(1, (since - next + lasts) / lasts) * (target - reached);
}

const share = (x: number): number => Math.min(1, Math.max(0, x));

/** A curve at a phase, round the cycle. */
function sample(curve: readonly number[], phase: number): number {
  const x = phase * curve.length, i = Math.floor(x) % curve.length, f = x - Math.floor(x);
  return curve[i]! + f * (curve[(i + 1) % curve.length]! - curve[i]!);
}

/** Of the wall of a sphere about a volume [mL], in mm, when the muscle is that of `wall` about `full`. */
function wallAt(volume: number, wall: number, full: number): number {
  const r = Math.cbrt((3e3 * full) / (4 * Math.PI)), muscle = (r + wall) ** 3 - r ** 3, now = Math.cbrt((3e3 * volume) / (4 * Math.PI));
  return Math.cbrt(now ** 3 + muscle) - now;
}

/**
 * Sets `out` to the heart at time t of the display axis; `peaks` are the R decided so far, in order.
 * Each beat begins with the volumes that the last one left, so a beat that came early ejects less.
 */
export function frameAt(t: number, peaks: readonly RPeak[], cycle: Cycle, out: HeartFrame, male = true): HeartFrame {
  const i = newest(peaks, t), beat = peaks[Math.max(i, 0)], next = i >= 0 ? peaks[i + 1] : undefined;
  const usual = beat && beat.rr > 0 ? beat.rr : cycle.length.value, since = i >= 0 && beat ? t - beat.at : 0;
  const rr = next && beat ? next.at - beat.at : null;
  const tau = curvePhase(since, usual, rr, next ? next.p : true, cycle, male);
  const last = i > 0 ? peaks[i - 1]! : null, kind = beat ? beat.kind : "N";
  const left = last && beat ? curvePhase(beat.at - last.at - 1e-9, last.rr > 0 ? last.rr : usual, beat.at - last.at, beat.p, cycle, male) : 1 - 1e-6;
  const opens = preEjection(cycle) / cycle.length.value, shuts = opens + finite(cycle.ejection.value, ejectionTime(60 / cycle.length.value, male)) / cycle.length.value;
  const ejected = share((tau - opens) / (shuts - opens)), weak = kind === "V" ? WEAK : 0;
  const held = weak * Math.min(ejected, share((1 - tau) / (1 - shuts)));
  const heldBefore = last?.kind === "V" ? WEAK * Math.min(share((left - opens) / (shuts - opens)), share((1 - left) / (1 - shuts))) : 0;
  for (const c of CHAMBERS) {
    const { volume, pressure, saturation } = cycle.chambers[c], v = volume.value, full = v[0]!, low = sample(v, shuts % 1), pump = c === "lv" || c === "rv";
    const kept = (sample(v, left) - full + (pump ? heldBefore * (full - low) : 0)) * (1 - ejected);
    out.volume[c] = Math.max(0.2 * Math.min(low, full), sample(v, tau) + kept + (pump ? held * (full - low) : 0));
    out.endDiastole[c] = full;
    out.field.pressure[c] = sample(pressure.value, tau) * (pump && tau < shuts ? 1 - 0.5 * weak : 1);
    out.field.saturation[c] = saturation;
    out.field.strain[c] = Math.cbrt(out.volume[c] / full) - 1;
  }
  out.wall.lv = wallAt(out.volume.lv, cycle.chambers.lv.wall?.[0] ?? 9.5, out.endDiastole.lv);
  out.wall.rv = wallAt(out.volume.rv, cycle.chambers.rv.wall?.[0] ?? 3.5, out.endDiastole.rv);
  for (const name of VALVES) {
    const { opening, flow } = cycle.valves[name], part = name === "aortic" || name === "pulmonary" ? 1 - weak : 1;
    out.opening[name] = share(sample(opening, tau) * part);
    out.flow[name] = sample(flow, tau) * part;
  }
  out.kind = kind; out.phase = tau; out.r = i >= 0 && beat ? beat.at : NaN;
  out.stale = i < 0 || (rr === null && since > HOLD * usual);
  return out;
}
