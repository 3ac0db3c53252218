/**
 * The ventricles of a four-chamber heart of our own making, in millimetres. Its axis z runs from the apex (0) to the
 * valve plane (h), x points from the left to the right ventricle, y towards the head. Shapes are
 * drawn after textbooks, not after a patient; only sizes are a patient's.
 */
import { fine } from "./detail";
import { cross, dot, type Field, lidded, plus, sheet, sum, type Surface, unit, type Vec3 } from "./fields";

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
const GROOVES = [-82, 109] as const; // [deg] where the right ventricle begins and ends round the left
const RAD = Math.PI / 180;

export const round = (t: number, s = 1): Vec3 => [Math.cos(t) * s, Math.sin(t) * s, 0];
export const bell = (x: number, width: number): number => Math.exp(-((x / width) ** 2));
export const smooth = (x: number): number => { const q = Math.min(1, Math.max(0, x)); return q * q * (3 - 2 * q); };
export const profile = (v: number): number => Math.sqrt(Math.max(0, 1 - ((WIDEST - v) / WIDEST) ** 2));

const MIDDLE = (GROOVES[0] + GROOVES[1]) / 2;
/** Half of the angle that the right ventricle spans [deg]: it narrows towards its tip, and the apex is the left one's. */
const span = (v: number): number => ((GROOVES[1] - GROOVES[0]) / 2) * (0.1 + 0.9 * smooth(0.12 + (v - TIP) / (1 - TIP) / 0.62));
/** -1 at the lower groove, 1 at the upper. */
const inGroove = (t: number, v: number): number => (Math.atan2(Math.sin(t), Math.cos(t)) / RAD - MIDDLE) / span(v);

const TIP = 0.14; // share of the height at which the right ventricle begins
export const CONUS = 84; // [deg] where the outflow of the right ventricle lies
/** Depth of the right ventricle, about 0 to 1: a crescent across, a triangle along. */
function depth(t: number, v: number): number {
  const across = inGroove(t, v), along = (v - TIP) / (1 - TIP);
  if (Math.abs(across) >= 1 || along <= 0) return 0;
  const conus = 0.42 * bell(t / RAD - CONUS, 30) * bell(v - 0.92, 0.34);
  return Math.cos((across * Math.PI) / 2) ** 0.8 * ((along * (2 - along)) ** 1.05 * (0.7 + 0.3 * along) + conus);
}

/** Height of the outflow of the right ventricle above the valve plane [mm]. */
const outflow = (t: number, v: number): number => 5 * bell(Math.atan2(Math.sin(t - CONUS * RAD), Math.cos(t - CONUS * RAD)), 30 * RAD) * smooth((v - 0.55) / 0.45);

export const outer = (t: number, v: number): Field => ({
  a: round(t, profile(v)), t: plus(round(t, profile(v)), [0, 0, -APEX * (1 - v) ** 2]), h: [0, 0, v], k: [0, 0, outflow(t, v)],
});
/** The free wall of the right ventricle, or a point of the given share of its depth. */
export const right = (t: number, v: number, share = 1): Field => sum(outer(t, v), { d: round(t, share * depth(t, v)) });
/** The outside of both ventricles. */
export const epicardium = (t: number, v: number): Field => sum(right(t, v), { u: round(t, smooth((1.3 - Math.abs(inGroove(t, v))) * 2) * smooth((v - 0.06) / 0.08)) });

export function leftVentricle(): Surface {
  const n = fine(64), s = sheet(n, fine(36), true, (u, v) => ({ a: round(2 * Math.PI * u, profile(v ** 1.3)), h: [0, 0, v ** 1.3] }));
  return lidded(s, n, { h: [0, 0, 1] });
}

export function rightVentricle(): Surface {
  const n = fine(48);
  const s = sheet(2 * n, fine(32), true, (u, w) => {
    const v = TIP + (1 - TIP) * w;
    const from = (MIDDLE - span(v)) * RAD, wide = 2 * span(v) * RAD;
    return u <= 0.5 ? right(from + 2 * u * wide, v) : outer(from + 2 * (1 - u) * wide, v);
  });
  const first = s.fields.length;
  s.fields.push(...s.fields.slice(-2 * n)); // once more, for the lid
  for (let i = 0; i < n; i++) { // the lid spans from the outer to the septal edge of the top
    const a = first + i, b = first + i + 1, c = first + (2 * n - i) % (2 * n), d = first + (2 * n - i - 1);
    s.lids.push(a, b, d, a, d, c);
  }
  return s;
}

