import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cycle, curvePhase, DELAY, ejectionTime, frameAt, newest, type RPeak, warp } from "./clock";
import { CHAMBERS, restingFrame, VALVES } from "./frame";

const N = 96, LENGTH = 0.85, PEP = 0.07, EJECTS = 0.28;
const curve = (f: (p: number) => number): number[] => Array.from({ length: N }, (_, i) => f(i / N));
const opens = PEP / LENGTH, shuts = opens + EJECTS / LENGTH;
const bump = (p: number, a: number, b: number): number => (p > a && p < b ? Math.sin((Math.PI * (p - a)) / (b - a)) : 0);
const empties = (p: number): number => (p < opens ? 0 : p < shuts ? (1 - Math.cos((Math.PI * (p - opens)) / (shuts - opens))) / 2 : 1 - 0.8 * Math.min(1, (p - shuts) / 0.3) - 0.2 * Math.max(0, (p - 0.82) / 0.18));
const ventricle = { volume: { value: curve((p) => 120 - 70 * empties(p)) }, pressure: { value: curve((p) => 8 + 110 * bump(p, 0, shuts)) }, saturation: 0.98, wall: curve(() => 10) };
const atrium = { volume: { value: curve((p) => 40 + 25 * bump(p, 0, 1)) }, pressure: { value: curve(() => 8) }, saturation: 0.98 };
const inflow = { flow: curve((p) => 300 * bump(p, shuts, 1)), opening: curve((p) => bump(p, shuts, 1)) };
const outflow = { flow: curve((p) => 400 * bump(p, opens, shuts)), opening: curve((p) => (p >= opens && p < shuts ? 1 : 0)) };
const cycle: Cycle = {
  length: { value: LENGTH }, pre_ejection: { value: PEP }, ejection: { value: EJECTS },
  chambers: { lv: ventricle, rv: ventricle, la: atrium, ra: atrium }, valves: { mitral: inflow, tricuspid: inflow, aortic: outflow, pulmonary: outflow },
};

function train(intervals: readonly number[], p = true, kinds: Record<number, "V" | "S"> = {}): RPeak[] {
  let at = 10;
  return [1, ...intervals].map((rr, i) => ({ at: i === 0 ? at : (at += rr), kind: kinds[i] ?? "N", rr: i === 0 ? intervals[0]! : rr, p: kinds[i] === "V" ? false : p }));
}
/** Those decided by the time that the display shows t: 0.3 s after each R. */
const known = (peaks: RPeak[], t: number): RPeak[] => peaks.filter((r) => r.at + 0.3 <= t + DELAY);
/** Irregular as in fibrillation, the same each time. */
const irregular = Array.from({ length: 60 }, (_, i) => 0.42 + 0.6 * ((i * 0.6180339887) % 1));

test("systole keeps its length when the rate changes (reference 11)", () => {
  assert.ok(Math.abs(ejectionTime(72) - 0.2906) < 1e-6);
  assert.ok(Math.abs(ejectionTime(72) / (60 / 72) - 0.349) < 1e-3);
  assert.ok(Math.abs(ejectionTime(120) / (60 / 120) - 0.418) < 1e-3);
  assert.equal(warp(0, 0.349, 0.36), 0);
  assert.ok(Math.abs(warp(0.349, 0.349, 0.36) - 0.36) < 1e-12 && Math.abs(warp(1, 0.349, 0.36) - 1) < 1e-12);
});

test("the aortic valve opens at R plus the pre-ejection period and shuts after the ejection time", () => {
  const peaks = train([0.85, 0.85, 0.6, 1.2, 0.85]), frame = restingFrame();
  for (const beat of peaks.slice(1, -1)) {
    const open: number[] = [];
    for (let ms = 0; ms < 590; ms++) { const t = beat.at + ms / 1e3; if (t < beat.at + 0.59 && frameAt(t, known(peaks, t), cycle, frame).opening.aortic > 0.5) open.push(ms); }
    assert.ok(Math.abs(open[0]! - 1e3 * PEP) <= 8, `${beat.at}: opens at ${open[0]} ms`);
    const lasts = open.at(-1)! - open[0]!, rate = 60 / beat.rr;
    assert.ok(Math.abs(lasts - 1e3 * (EJECTS + ejectionTime(rate) - ejectionTime(60 / LENGTH))) < 16, `lasts ${lasts}`);
  }
});

test("in fibrillation and ectopy each beat begins on its R, within a frame", () => {
  for (const [p, kinds] of [[false, {}], [true, { 5: "V", 11: "V", 12: "S" }]] as const) {
    const peaks = train(irregular, p, kinds), frame = restingFrame(), errors: number[] = [];
    let before = 0;
    for (let t = peaks[0]!.at; t < peaks.at(-1)!.at; t += 1 / 60) {
      const { phase } = frameAt(t, known(peaks, t), cycle, frame), i = newest(peaks, t);
      if (phase < before) errors.push(t - peaks[i]!.at);
      before = phase;
      assert.ok(!frame.stale);
    }
    errors.sort((a, b) => a - b);
    assert.equal(errors.length, peaks.length - 2, "one beginning for each R");
    assert.ok(errors[Math.floor(0.95 * errors.length)]! <= 0.02);
  }
});

test("no phase runs backwards within a beat, and no volume jumps at an R", () => {
  const peaks = train(irregular, true, { 7: "V", 20: "V" }), frame = restingFrame();
  let beat = -1, phase = 0, volume = NaN;
  for (let t = peaks[2]!.at; t < peaks.at(-2)!.at; t += 0.002) {
    const seen = known(peaks, t), i = newest(seen, t), r = seen[i]!, next = seen[i + 1];
    const now = curvePhase(t - r.at, r.rr, next ? next.at - r.at : null, next?.p ?? true, cycle);
    if (i === beat) assert.ok(now >= phase - 1e-9, `backwards at ${t - r.at}: ${phase} to ${now}`);
    beat = i; phase = now;
    frameAt(t, seen, cycle, frame);
    if (!Number.isNaN(volume)) assert.ok(Math.abs(frame.volume.lv - volume) < 6, `jump of ${frame.volume.lv - volume} mL at ${t - r.at} s`);
    volume = frame.volume.lv;
  }
});

test("the atria kick before the next R where there is a P wave, and not without", () => {
  const at = (p: boolean): number => { const peaks = train([1, 1, 1], p); return frameAt(peaks[2]!.at - 0.002, known(peaks, peaks[2]!.at), cycle, restingFrame()).volume.lv; };
  assert.ok(at(true) > at(false) + 5);
});

test("a beat from a ventricle ejects less, an early beat too", () => {
  const stroke = (kinds: Record<number, "V">, rr: number): number => {
    const peaks = train([0.85, 0.85, rr, 1, 1], true, kinds), frame = restingFrame(), seen: number[] = [];
    for (let ms = 0; ms < 450; ms++) seen.push(frameAt(peaks[3]!.at + ms / 1e3, peaks, cycle, frame).volume.lv);
    return Math.max(...seen) - Math.min(...seen);
  };
  const whole = stroke({}, 0.85);
  assert.ok(Math.abs(whole - 70) < 4, `${whole}`);
  assert.ok(stroke({ 3: "V" }, 0.85) < 0.75 * whole);
  assert.ok(stroke({}, 0.45) < 0.9 * whole);
});

test("without an R the heart holds, then is stale; before the first it is stale at once", () => {
  const peaks = train([0.8, 0.8]), end = peaks.at(-1)!.at, a = restingFrame(), b = restingFrame();
  frameAt(end + 0.9, peaks, cycle, a); frameAt(end + 1.15, peaks, cycle, b);
  assert.deepEqual([a.stale, b.stale], [false, false]);
  assert.equal(a.volume.lv, b.volume.lv);
  assert.ok(frameAt(end + 1.25, peaks, cycle, a).stale);
  assert.ok(frameAt(5, peaks, cycle, a).stale && frameAt(5, [], cycle, a).stale);
});

test("every number of a frame is finite, whatever the cycle lacks", () => {
  const bare = { ...cycle, pre_ejection: { value: NaN }, ejection: { value: NaN } }, f = frameAt(12.3, train(irregular), bare, restingFrame());
  for (const c of CHAMBERS) assert.ok(f.volume[c] > 0 && Number.isFinite(f.field.pressure[c]));
  for (const v of VALVES) assert.ok(Number.isFinite(f.flow[v]) && f.opening[v] <= 1);
});
