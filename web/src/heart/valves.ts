/** The four valves: ring, leaflets, and the strings and muscles that hold the leaflets of the inflow valves. */
import { fine } from "./detail";
import { at, cross, type Field, join, plus, scaled, sheet, sum, type Surface, unit, type Vec3, WEIGHTS } from "./fields";
import { tube } from "./tube";
import { CONUS, ofBody, outer, profile, right, round } from "./ventricles";

const RAD = Math.PI / 180;
export interface Valve {
  name: "mitral" | "aortic" | "tricuspid" | "pulmonary"; centre: Field; axis: Vec3; radius: number;
  /** Where each leaflet begins round the ring, and where the last one ends [rad]. */ edges: readonly number[];
  /** How far free edges stand along the axis when open [mm]. */ reach: readonly number[];
}
const thirds = (from: number): number[] => [0, 1, 2, 3].map((i) => from + (i * 2 * Math.PI) / 3);
const OUTFLOW: Vec3 = unit([0.1, 0.22, 1]);
const ANTERIOR = -0.85; // [rad] where the middle of the anterior mitral leaflet is: towards the aortic valve
export const VALVE_SITES: readonly Valve[] = [
  { name: "mitral", centre: { k: [-8, -6, 0], h: [0, 0, 1] }, axis: [0, 0, -1], radius: 14, edges: [ANTERIOR - 1.05, ANTERIOR + 1.05, ANTERIOR - 1.05 + 2 * Math.PI], reach: [20, 12] },
  { name: "aortic", centre: { k: [8.5, 10.5, 2], h: [0, 0, 1] }, axis: OUTFLOW, radius: 10.5, edges: thirds(0.3), reach: [11, 11, 11] },
  { name: "tricuspid", centre: sum(outer(-18 * RAD, 1), { d: [0.44 * Math.cos(18 * RAD), -0.44 * Math.sin(18 * RAD), 0] }), axis: [0, 0, -1], radius: 14.5, edges: thirds(0.2), reach: [17, 14, 12] },
  { name: "pulmonary", centre: sum(right(CONUS * RAD, 0.97, 0.55), { k: [0, 0, 2] }), axis: unit(ofBody([0.2, 0.15, 0.95])), radius: 10.5, edges: thirds(0.9), reach: [10, 10, 10] },
];

/** A point about a valve: angle, share of the radius and height along the axis [mm]. */
function spotter(v: Valve): (t: number, r: number, z: number) => Vec3 {
  const x = unit(cross(v.axis, [0.3, 1, 0])), y = cross(v.axis, x); // any two directions across the axis
  return (t, r, z) => plus(plus(plus([0, 0, 0], x, Math.cos(t) * r * v.radius), y, Math.sin(t) * r * v.radius), v.axis, z);
}

/** A point of a leaflet: u from one commissure to the other, q from the ring to the free edge. */
function leafletAt(v: Valve, index: number, u: number, q: number): Field {
  const spot = spotter(v), semilunar = v.axis[2] > 0, [from, to] = [v.edges[index]!, v.edges[index + 1]!], t = from + u * (to - from), side = Math.abs(2 * u - 1);
  let meet: Vec3;
  if (v.edges.length === 3) { // two leaflets meet along a curve, the smile of the mitral valve
    const deep = 5, a = spot(from, 1, 1), b = spot(to, 1, 1), m = spot(ANTERIOR + Math.PI, 0.3, deep), s = 1 - u;
    const c = [0, 1, 2].map((i) => 2 * m[i]! - (a[i]! + b[i]!) / 2);
    meet = [0, 1, 2].map((i) => s * s * a[i]! + 2 * s * u * c[i]! + u * u * b[i]!) as unknown as Vec3;
  } else meet = spot(u < 0.5 ? from : to, side, semilunar ? 3.5 : 1 + 4 * (1 - side));
  const ring = spot(t, 1, 0), belly = Math.sin(Math.PI * q) * (semilunar ? -2.5 : -1.5) * (1 - side ** 2);
  const shut = plus(plus(plus([0, 0, 0], ring, 1 - q), meet, q), v.axis, belly);
  const open = spot(t, 1 - (semilunar ? 0.12 : 0.3) * q, q * v.reach[index]! * (1 - 0.45 * side ** 2));
  return sum(v.centre, { k: shut, open: plus(open, shut, -1) });
}

const leaflets = (v: Valve): Surface => join(...v.reach.map((_, index) => sheet(fine(18), fine(8), false, (u, q) => leafletAt(v, index, u, q))));

/** The ring of a valve. */
export function ring(v: Valve): Surface {
  const spot = spotter(v), on = (t: number): Vec3 => spot(t, 1, v.name === "mitral" ? 1.4 * Math.cos(2 * (t - ANTERIOR)) : 0);
  return tube((q) => sum(v.centre, { k: on(2 * Math.PI * q) }), (q) => plus(on(2 * Math.PI * q + 0.01), on(2 * Math.PI * q - 0.01), -1), () => 0.9, 48, 8);
}

const mix = (a: Field, b: Field, f: number): Field => sum(scaled(a, 1 - f), scaled(b, f));
/** Where a field is in a heart of 120 mL: only to find out which way something runs. */
const still = (f: Field): Vec3 => WEIGHTS.reduce<Vec3>((p, n) => (f[n] ? plus(p, f[n], STILL[at[n]]!) : p), [0, 0, 0]);
const STILL = [1, 85, 24.5, 9.5, 33, 3.5, 20, 20.5];

interface Papillary { foot: Field; tip: Field; thick: number; holds: readonly [leaflet: number, u: number][] }
const onLeft = (t: number, v: number, r: number): Field => ({ a: round(t * RAD, r * profile(v)), h: [0, 0, v] });
const MITRAL = VALVE_SITES[0]!, TRICUSPID = VALVE_SITES[2]!;
const LEFT: readonly Papillary[] = [
  { foot: onLeft(150, 0.27, 1.1), tip: onLeft(146, 0.6, 0.56), thick: 5, holds: [[0, 0.62], [0, 0.78], [0, 0.92], [1, 0.1], [1, 0.25], [1, 0.42]] },
  { foot: onLeft(-118, 0.27, 1.1), tip: onLeft(-112, 0.6, 0.56), thick: 5, holds: [[0, 0.08], [0, 0.22], [0, 0.38], [1, 0.58], [1, 0.75], [1, 0.9]] },
];
const RIGHT_FOOT = right(2 * RAD, 0.45, 0.92);
const RIGHT: readonly Papillary[] = [{ foot: RIGHT_FOOT, tip: mix(right(-6 * RAD, 0.66, 0.6), TRICUSPID.centre, 0.1), thick: 3.6, holds: [[0, 0.2], [0, 0.45], [0, 0.7], [1, 0.3], [2, 0.7]] }];

const straight = (from: Field, to: Field, radius: (q: number) => number, along: number, around: number): Surface => {
  const way = plus(still(to), still(from), -1);
  return tube((q) => mix(from, to, q), () => way, radius, along, around);
};
const cone = (p: Papillary): Surface => straight(p.foot, p.tip, (q) => p.thick * (1.5 - 0.9 * q) * Math.sqrt(Math.max(0, 1 - q ** 8)) + 0.05, 16, 14);
const strings = (v: Valve, all: readonly Papillary[]): Surface => join(...all.flatMap((p) => p.holds.map(([leaf, u]) => straight(p.tip, leafletAt(v, leaf, u, 0.97), () => 0.4, 4, 5))));

/** Papillary muscles, and the moderator band of the right ventricle. */
export const papillaryMuscles = (): Surface => join(...[...LEFT, ...RIGHT].map(cone), straight(outer(2 * RAD, 0.36), RIGHT_FOOT, () => 2.2, 10, 10));

export const valveParts = (): Record<`${Valve["name"]} valve` | `${"mitral" | "tricuspid"} chordae`, Surface> => ({
  "mitral valve": leaflets(MITRAL), "aortic valve": leaflets(VALVE_SITES[1]!), "tricuspid valve": leaflets(TRICUSPID), "pulmonary valve": leaflets(VALVE_SITES[3]!),
  "mitral chordae": strings(MITRAL, LEFT), "tricuspid chordae": strings(TRICUSPID, RIGHT),
});
