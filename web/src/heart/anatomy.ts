/**
 * A four-chamber heart of our own making, in millimetres. Its axis z runs from the apex (0) to the
 * valve plane (h), x points from the left to the right ventricle, y towards the head. Shapes are
 * drawn after textbooks, not after a patient; only sizes are a patient's.
 */
import { cross, dot, type Field, join, lidded, plus, sheet, sum, type Surface, unit, type Vec3 } from "./fields";

/** Axes of the heart in the body (left, back, head): the apex points left, forward and down. */
const EZ = unit([-0.62, 0.58, 0.53]);
const RIGHTWARDS: Vec3 = [-0.8, -0.4, -0.36];
const EX = unit(plus(RIGHTWARDS, EZ, -dot(RIGHTWARDS, EZ)));
export const BODY: readonly [Vec3, Vec3, Vec3] = [EX, cross(EZ, EX), EZ];
/** A direction of the body in the axes of the heart. */
export const ofBody = (v: Vec3): Vec3 => [dot(v, BODY[0]), dot(v, BODY[1]), dot(v, BODY[2])];

export const HEIGHT = 85; // [mm] of a left ventricle of 120 mL, base to apex
const WIDEST = 0.68; // share of the height at which the left ventricle is widest
const APEX = 0.7; // thickness of the apex over that of the wall
const GROOVES = [-82, 102] as const; // [deg] where the right ventricle begins and ends round the left
const RAD = Math.PI / 180;

const round = (t: number, s = 1): Vec3 => [Math.cos(t) * s, Math.sin(t) * s, 0];
const bell = (x: number, width: number): number => Math.exp(-((x / width) ** 2));
const smooth = (x: number): number => { const q = Math.min(1, Math.max(0, x)); return q * q * (3 - 2 * q); };
const profile = (v: number): number => Math.sqrt(Math.max(0, 1 - ((WIDEST - v) / WIDEST) ** 2));

const MIDDLE = (GROOVES[0] + GROOVES[1]) / 2;
/** Half of the angle that the right ventricle spans [deg]: it narrows towards its tip, and the apex is the left one's. */
const span = (v: number): number => ((GROOVES[1] - GROOVES[0]) / 2) * (0.1 + 0.9 * smooth(0.12 + (v - TIP) / (1 - TIP) / 0.62));
/** -1 at the lower groove, 1 at the upper. */
const inGroove = (t: number, v: number): number => (Math.atan2(Math.sin(t), Math.cos(t)) / RAD - MIDDLE) / span(v);

const TIP = 0.14; // share of the height at which the right ventricle begins
const CONUS = 76; // [deg] where the outflow of the right ventricle lies
/** Depth of the right ventricle, about 0 to 1: a crescent across, a triangle along. */
function depth(t: number, v: number): number {
  const across = inGroove(t, v), along = (v - TIP) / (1 - TIP);
  if (Math.abs(across) >= 1 || along <= 0) return 0;
  const conus = 0.42 * bell(t / RAD - CONUS, 30) * bell(v - 0.92, 0.34);
  return Math.cos((across * Math.PI) / 2) ** 0.8 * ((along * (2 - along)) ** 1.05 * (0.7 + 0.3 * along) + conus);
}

/** Height of the outflow of the right ventricle above the valve plane [mm]. */
const outflow = (t: number, v: number): number => 5 * bell(Math.atan2(Math.sin(t - CONUS * RAD), Math.cos(t - CONUS * RAD)), 30 * RAD) * smooth((v - 0.55) / 0.45);

const outer = (t: number, v: number): Field => ({
  a: round(t, profile(v)), t: plus(round(t, profile(v)), [0, 0, -APEX * (1 - v) ** 2]), h: [0, 0, v], k: [0, 0, outflow(t, v)],
});
const right = (t: number, v: number): Field => sum(outer(t, v), { d: round(t, depth(t, v)) });
/** The outside of both ventricles. */
export const epicardium = (t: number, v: number): Field => sum(right(t, v), { u: round(t, smooth((1.3 - Math.abs(inGroove(t, v))) * 2) * smooth((v - 0.06) / 0.08)) });

function leftVentricle(): Surface {
  const s = sheet(64, 36, true, (u, v) => ({ a: round(2 * Math.PI * u, profile(v ** 1.3)), h: [0, 0, v ** 1.3] }));
  return lidded(s, 64, { h: [0, 0, 1] });
}

function rightVentricle(): Surface {
  const n = 48;
  const s = sheet(2 * n, 32, true, (u, w) => {
    const v = TIP + (1 - TIP) * w;
    const from = (MIDDLE - span(v)) * RAD, wide = 2 * span(v) * RAD;
    return u <= 0.5 ? right(from + 2 * u * wide, v) : outer(from + 2 * (1 - u) * wide, v);
  });
  const first = s.fields.length - 2 * n;
  for (let i = 0; i < n; i++) { // the lid spans from the outer to the septal edge of the top
    const a = first + i, b = first + i + 1, c = first + (2 * n - i) % (2 * n), d = first + (2 * n - i - 1);
    s.lids.push(a, b, d, a, d, c);
  }
  return s;
}

interface Atrium { weight: "l" | "r"; septum: number; side: 1 | -1; middle: number; drift: number; tall: number; wide: Vec3; ear: Vec3; earAt: number }
const LEFT: Atrium = { weight: "l", septum: 10, side: -1, middle: -11, drift: -7, tall: 47, wide: [1, 0.98, 0], ear: [0.75, -0.55, 0.45], earAt: 0.3 };
const RIGHT: Atrium = { weight: "r", septum: 14, side: 1, middle: -14, drift: -4, tall: 46, wide: [0.92, 1.16, 0], ear: [-0.1, -0.8, 0.55], earAt: 0.32 };

function atriumAt(c: Atrium, u: number, q: number, wall: number): Field {
  const t = 2 * Math.PI * u, p = Math.sqrt(Math.max(0, 1 - ((q - 0.42) / 0.58) ** 2));
  const ear = ofBody(c.ear), turn = t - Math.atan2(ear[1], ear[0]);
  const r = p * (1 + 0.5 * bell(Math.atan2(Math.sin(turn), Math.cos(turn)), 0.36) * bell(q - c.earAt, 0.22));
  const body: Vec3 = [c.wide[0] * (Math.cos(t) * r + c.side), c.wide[1] * Math.sin(t) * r, 0];
  return { k: plus([c.septum, c.middle + c.drift * q, (HEIGHT + c.tall) * q + 1], [p * Math.cos(t), p * Math.sin(t), Math.max(0, 2 * q - 0.8)], wall), h: [0, 0, 1 - q], [c.weight]: body };
}

function atrium(c: Atrium, wall = 0): Surface {
  // The mesh begins at the roof, so that its last row is the one that the valve plane closes.
  const s = sheet(48, 28, true, (u, v) => atriumAt(c, 1 - u, 1 - v ** 1.4, wall));
  return lidded(s, 48, { k: [c.septum, c.middle, 1], h: [0, 0, 1], [c.weight]: [c.side * c.wide[0], 0, 0] });
}

function shell(): Surface {
  const wall = sheet(96, 44, true, (u, v) => epicardium(2 * Math.PI * u, v ** 1.3));
  const rim = (from: (t: number, v: number) => Field, to: (t: number, v: number) => Field): Surface => sheet(96, 1, true, (u, v) => (v === 0 ? from : to)(2 * Math.PI * u, 1));
  const inside = (t: number): Field => ({ a: round(t, profile(1)), h: [0, 0, 1] });
  return join(wall, rim(epicardium, right), rim(outer, inside), atrium(LEFT, 2), atrium(RIGHT, 2));
}

const SIDES: readonly Vec3[] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0], [0, 1, 1], [0, 1, -1], [1, 0, 1], [1, 0, -1], [1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]].map((v) => unit(v as unknown as Vec3));
/** A tube along a path, its ends open. */
function tube(path: (q: number) => Field, ahead: (q: number) => Vec3, radius: (q: number) => number, along: number, around = 20): Surface {
  // Angles are counted from one direction that the path never takes, or the tube would be wrung.
  const parallel = (d: Vec3): number => Math.max(...Array.from({ length: 33 }, (_, i) => Math.abs(dot(unit(ahead(i / 32)), d))));
  const from = SIDES.reduce((a, b) => (parallel(b) < parallel(a) ? b : a));
  return sheet(around, along, true, (u, q) => {
    const z = unit(ahead(q)), x = unit(cross(z, from)), y = cross(z, x);
    const t = 2 * Math.PI * u, r = radius(q);
    return sum(path(q), { k: plus([x[0] * Math.cos(t) * r, x[1] * Math.cos(t) * r, x[2] * Math.cos(t) * r], y, Math.sin(t) * r) });
  });
}

/** A point of a Catmull-Rom spline. */
function spline(points: readonly Vec3[], q: number): Vec3 {
  const s = Math.min(q * (points.length - 1), points.length - 1 - 1e-9), i = Math.floor(s), f = s - i;
  const p = (n: number): Vec3 => points[Math.min(points.length - 1, Math.max(0, n))]!;
  const [a, b, c, d] = [p(i - 1), p(i), p(i + 1), p(i + 2)];
  const mix = (n: 0 | 1 | 2): number => b[n] + 0.5 * f * (c[n] - a[n] + f * (2 * a[n] - 5 * b[n] + 4 * c[n] - d[n] + f * (3 * (b[n] - c[n]) + d[n] - a[n])));
  return [mix(0), mix(1), mix(2)];
}

/** A vessel from a root that moves with the valve plane to an end that stands still; `points` in axes of the body from the root. */
function vessel(root: Field, points: readonly Vec3[], radius: (q: number) => number, along = 40): Surface {
  const path = points.map(ofBody), ahead = (q: number): Vec3 => plus(spline(path, Math.min(1, q + 0.02)), spline(path, Math.max(0, q - 0.02)), -1);
  const stay = (q: number): number => 1 - smooth(q);
  return tube((q) => {
    const h = root.h?.[2] ?? 0, move = stay(q);
    const still: Field = { k: plus(spline(path, q), [0, 0, HEIGHT * h * (1 - move)]), h: [0, 0, h * move] };
    return sum({ ...root, h: [0, 0, 0] }, still);
  }, ahead, radius, along);
}

export interface Valve { name: "mitral" | "aortic" | "tricuspid" | "pulmonary"; centre: Field; axis: Vec3; radius: number; leaflets: number; /** Free edges point along the axis when open. */ reach: number; turn: number }
const lvot: Vec3 = unit([0.1, 0.22, 1]);
export const VALVE_SITES: readonly Valve[] = [
  { name: "mitral", centre: { k: [-8, -6, 0], h: [0, 0, 1] }, axis: [0, 0, -1], radius: 14, leaflets: 2, reach: 17, turn: 0.75 },
  { name: "aortic", centre: { k: [8.5, 10.5, 2], h: [0, 0, 1] }, axis: lvot, radius: 10.5, leaflets: 3, reach: 11, turn: 0.3 },
  { name: "tricuspid", centre: sum(outer(-18 * RAD, 1), { d: round(-18 * RAD, 0.44) }), axis: [0, 0, -1], radius: 14.5, leaflets: 3, reach: 15, turn: 0.2 },
  { name: "pulmonary", centre: sum(outer(CONUS * RAD, 0.96), { d: round(CONUS * RAD, 0.62), k: [0, 0, 2] }), axis: unit(ofBody([0.2, 0.15, 0.95])), radius: 10.5, leaflets: 3, reach: 10, turn: 0.9 },
];

function frameOf(v: Valve): [Vec3, Vec3] {
  const x = unit(cross(v.axis, [0.3, 1, 0])); // any two directions across the axis
  return [x, cross(v.axis, x)];
}

function leaflet(v: Valve, index: number): Surface {
  const [x, y] = frameOf(v), n = v.leaflets, wide = (2 * Math.PI) / n, semilunar = v.axis[2] > 0;
  const spot = (t: number, r: number, z: number): Vec3 => plus(plus(plus([0, 0, 0], x, Math.cos(t) * r * v.radius), y, Math.sin(t) * r * v.radius), v.axis, z);
  return sheet(14, 8, false, (u, q) => {
    const t = v.turn + (index + u) * wide, side = Math.abs(2 * u - 1), edge = v.turn + (index + (u < 0.5 ? 0 : 1)) * wide;
    // Shut, the free edge runs from one commissure to the middle and on to the other.
    const ring = spot(t, 1, 0), meet = spot(edge, side, semilunar ? 3.5 : 1.5), belly = Math.sin(Math.PI * q) * (semilunar ? -2.5 : -3) * (1 - side ** 2);
    const shut = plus(plus([ring[0] * (1 - q), ring[1] * (1 - q), ring[2] * (1 - q)], meet, q), v.axis, belly);
    const open = spot(t, 1 - (semilunar ? 0.12 : 0.3) * q, q * v.reach * (1 - 0.45 * side ** 2));
    return sum(v.centre, { k: shut, open: plus(open, shut, -1) });
  });
}

/** The ring of a valve. */
export function ring(v: Valve): Surface {
  const [x, y] = frameOf(v), wave = (t: number): number => (v.name === "mitral" ? 1.4 * Math.cos(2 * t) : 0);
  const spot = (t: number): Vec3 => plus(plus(plus([0, 0, 0], x, Math.cos(t) * v.radius), y, Math.sin(t) * v.radius), v.axis, wave(t));
  return tube((q) => sum(v.centre, { k: spot(2 * Math.PI * q) }), (q) => plus(spot(2 * Math.PI * q + 0.01), spot(2 * Math.PI * q - 0.01), -1), () => 0.9, 48, 8);
}

const leaflets = (v: Valve): Surface => join(...Array.from({ length: v.leaflets }, (_, i) => leaflet(v, i)));

function coronary(points: readonly (readonly [number, number])[], radius: number): Surface {
  const flat = points.map(([t, v]): Vec3 => [t * RAD, v, 0]);
  const spot = (q: number): Field => { const [t, v] = spline(flat, q); return sum(epicardium(t, v), { k: round(t, 1.3) }); };
  const still = (q: number): Vec3 => { const f = spot(Math.min(1, Math.max(0, q))); return plus(plus(plus([0, 0, 0], f.a ?? [0, 0, 0], 34), f.d ?? [0, 0, 0], 28), f.h ?? [0, 0, 0], HEIGHT); };
  return tube(spot, (q) => plus(still(q + 0.01), still(q - 0.01), -1), (q) => radius * (1 - 0.55 * q), 60, 8);
}

export type PartName = "lv" | "rv" | "la" | "ra" | "wall" | "aorta" | "pulmonary" | "veins" | "caval" | "coronaries" | "mitral valve" | "aortic valve" | "tricuspid valve" | "pulmonary valve";

const STILL = { k: [0, 0, HEIGHT] as Vec3 };
const stub = (from: Vec3, points: readonly Vec3[], radius: number): Surface => vessel(sum(STILL, { k: from }), points, () => radius, 14);

/** Every part of the heart. */
export function anatomy(): Record<PartName, Surface> {
  const [mitral, aortic, tricuspid, pulmonary] = VALVE_SITES as readonly [Valve, Valve, Valve, Valve];
  const trunk: Vec3[] = [[-2, -2, -6], [1, 3, 8], [5, 11, 20], [13, 22, 29], [32, 34, 32]];
  return {
    lv: leftVentricle(), rv: rightVentricle(), la: atrium(LEFT), ra: atrium(RIGHT), wall: shell(),
    aorta: vessel(aortic.centre, [[0, 0, -1], [-7, 0, 11], [-15, -4, 30], [-15, -1, 50], [-5, 8, 65], [9, 22, 68], [18, 34, 57], [19, 38, 36]], (q) => 11 + 3.2 * bell(q - 0.1, 0.07) - 1.5 * q, 72),
    pulmonary: join(
      vessel(pulmonary.centre, trunk, (q) => 11.5 + bell(q - 0.1, 0.12) - 3.5 * q, 36),
      vessel(pulmonary.centre, [[6, 14, 21], [-4, 30, 28], [-26, 46, 27], [-62, 52, 20]], () => 7.6, 28)),
    veins: join(
      stub([-14, -18, 30], [[11, 7, 4], [22, 13, 8], [37, 19, 13]], 5.6), stub([-14, -20, 26], [[11, 8, -5], [22, 15, -9], [36, 21, -13]], 5.4),
      stub([-6, -16, 34], [[-10, 9, 3], [-22, 17, 6], [-46, 23, 10]], 5.6), stub([-8, -20, 32], [[-9, 9, -4], [-22, 17, -8], [-44, 23, -14]], 5.4)),
    caval: join(stub([38, -16, 26], [[0, 2, 17], [1, 3, 34], [2, 2, 52], [2, 1, 70]], 8.6), stub([38, -18, 26], [[0, 3, -17], [0, 4, -30], [2, 5, -46]], 10)),
    coronaries: join(
      coronary([[82, 1], [94, 0.92], [101, 0.76], [96, 0.5], [68, 0.28], [40, 0.08]], 1.8), coronary([[101, 0.76], [122, 0.62], [136, 0.42], [142, 0.24]], 1.4),
      coronary([[96, 0.97], [116, 0.95], [150, 0.93], [190, 0.92], [225, 0.9]], 1.8), coronary([[150, 0.93], [162, 0.72], [168, 0.45]], 1.4),
      coronary([[34, 0.99], [18, 0.95], [-8, 0.93], [-40, 0.93], [-72, 0.93], [-84, 0.8], [-78, 0.52], [-62, 0.38]], 1.8), coronary([[-20, 0.93], [-24, 0.7], [-20, 0.45]], 1.3)),
    "mitral valve": leaflets(mitral), "aortic valve": leaflets(aortic), "tricuspid valve": leaflets(tricuspid), "pulmonary valve": leaflets(pulmonary),
  };
}
