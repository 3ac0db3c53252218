import assert from "node:assert/strict";
import { test } from "node:test";
import { anatomy, type PartName } from "./anatomy";
import { at, COUNT, type Surface, WEIGHTS } from "./fields";
import { type ChamberName, type HeartFrame, restingFrame } from "./frame";
import { newPose, type Pose, poseTo, shapeOf, vertexAt } from "./motion";

const parts = anatomy(), shape = shapeOf(parts);

function rowsOf(s: Surface): Float32Array {
  const rows = new Float32Array(s.fields.length * 3 * (COUNT + 1));
  s.fields.forEach((f, v) => [...WEIGHTS, "open" as const].forEach((n, i) => f[n] && rows.set(f[n], (v * (COUNT + 1) + i) * 3)));
  return rows;
}
const rows = Object.fromEntries(Object.entries(parts).map(([n, s]) => [n, rowsOf(s)])) as Record<PartName, Float32Array>;

function volumeDrawn(name: PartName, pose: Pose): number {
  const s = parts[name], p = s.fields.map((_, i) => { const o = new Float32Array(3); vertexAt(rows[name], i, pose, 0, o); return o; });
  const all = [...s.triangles, ...s.lids];
  let sum = 0;
  for (let q = 0; q < all.length; q += 3) {
    const [a, b, c] = [p[all[q]!]!, p[all[q + 1]!]!, p[all[q + 2]!]!] as [Float32Array, Float32Array, Float32Array];
    sum += (a[0]! * (b[1]! * c[2]! - b[2]! * c[1]!) + a[1]! * (b[2]! * c[0]! - b[0]! * c[2]!) + a[2]! * (b[0]! * c[1]! - b[1]! * c[0]!)) / 6;
  }
  return sum / 1e3;
}

/** Wall of a sphere of constant muscle volume, as the server gives it [mm]. */
const wallAt = (volume: number, muscle: number): number => { const r = (v: number): number => Math.cbrt((3e3 * v) / (4 * Math.PI)); return r(volume + muscle) - r(volume); };

function frameOf(size: number, squeeze: number, kind: HeartFrame["kind"] = "N"): HeartFrame {
  const f = restingFrame();
  f.endDiastole = { lv: 120 * size, rv: 140 * size, la: 45 * size, ra: 50 * size };
  f.volume = { lv: 120 * size * (1 - 0.6 * squeeze), rv: 140 * size * (1 - 0.52 * squeeze), la: 45 * size * (1 + 0.7 * squeeze), ra: 50 * size * (1 + 0.6 * squeeze) };
  f.wall = { lv: wallAt(f.volume.lv, 140 * size), rv: wallAt(f.volume.rv, 50 * size) };
  f.kind = kind;
  return f;
}

test("every cavity drawn has the volume given, in every phase, size and kind of beat", () => {
  const pose = newPose();
  let worst = 0;
  for (const size of [0.08, 1, 2.5]) for (const squeeze of [0, 0.3, 0.7, 1]) for (const kind of ["N", "V"] as const) {
    const f = frameOf(size, squeeze, kind);
    poseTo(pose, shape, f);
    for (const c of ["lv", "rv", "la", "ra"] as ChamberName[]) worst = Math.max(worst, Math.abs(volumeDrawn(c, pose) / f.volume[c] - 1));
  }
  assert.ok(worst < 0.02, `worst ${worst}`);
});

test("the meshes are closed: every edge is used once each way", () => {
  for (const c of ["lv", "rv", "la", "ra"] as ChamberName[]) {
    // The rim of a lid is there twice: vertices that move alike are one.
    const alike = new Map<string, number>(), same = parts[c].fields.map((f, i) => { const key = JSON.stringify(f), first = alike.get(key) ?? i; alike.set(key, first); return first; });
    const all = [...parts[c].triangles, ...parts[c].lids].map((v) => same[v]!), seen = new Map<string, number>();
    for (let q = 0; q < all.length; q += 3) for (let e = 0; e < 3; e++) {
      const a = all[q + e]!, b = all[q + (e + 1) % 3]!;
      if (a !== b) seen.set(`${Math.min(a, b)} ${Math.max(a, b)}`, (seen.get(`${Math.min(a, b)} ${Math.max(a, b)}`) ?? 0) + (a < b ? 1 : -1));
    }
    const open = [...seen.values()].filter((n) => n !== 0).length;
    assert.ok(open <= 96, `${c}: ${open} open edges`); // those of a pole, where a row shrinks to a point or a line
  }
});

test("the wall thickens in systole and keeps its muscle, the valve plane falls, the apex stays", () => {
  const ed = newPose(), es = newPose();
  poseTo(ed, shape, frameOf(1, 0)); poseTo(es, shape, frameOf(1, 1));
  assert.ok(es.weights[at.t]! > 1.25 * ed.weights[at.t]!);
  const fall = 1 - es.weights[at.h]! / ed.weights[at.h]!;
  assert.ok(fall > 0.12 && fall < 0.2, `${fall}`);
  const low = (p: Pose): number => { const o = new Float32Array(3); vertexAt(rows.lv, 0, p, 0, o); return Math.hypot(...o); };
  assert.ok(low(ed) < 1e-6 && low(es) < 1e-6);
  const muscle = (p: Pose): number => { // between two truncated ellipsoids of the same profile
    const w = p.weights, c = Math.PI * 0.7497, tip = 0.7 * w[at.t]!;
    return c * ((w[at.a]! + w[at.t]!) ** 2 * (w[at.h]! + tip / 3) - w[at.a]! ** 2 * w[at.h]!);
  };
  assert.ok(Math.abs(muscle(es) / muscle(ed) - 1) < 0.08, `${muscle(es) / muscle(ed)}`);
});
