/** Standard views and planes, in the axes of the heart; and the distance from which everything fits. */
import { Matrix4, Quaternion, Vector3 } from "three";
import type { PartName } from "./anatomy";
import { cross, unit, type Vec3 } from "./fields";
import { ofBody } from "./ventricles";

export type ViewName = "anterior" | "four-chamber" | "short axis" | "en face valves" | "LVOT";
/** A point p is cut away where normal . p > offset [mm, for a heart of 120 mL]. */
export interface Plane { normal: Vec3; offset: number; /** What would float about in this cut. */ hides?: readonly PartName[]; /** Chambers that are not in the picture, so not named. */ unseen?: readonly PartName[] }
export interface View { from: Vec3; up: Vec3 }

const through = (a: Vec3, b: Vec3, towards: Vec3): Vec3 => { const n = unit(cross(a, b)); return n[0] * towards[0] + n[1] * towards[1] + n[2] * towards[2] > 0 ? n : [-n[0], -n[1], -n[2]]; };
const FOUR = through([-8, -6, 85], [44, -10, 85], [0, 1, 0]); // both inflow valves and the apex
const OUT = through([-8, -6, 85], [8.5, 10.5, 87], [1, -1, 0]); // inflow and outflow of the left ventricle

export const VIEWS: Record<ViewName, View> = {
  anterior: { from: ofBody([-0.05, -1, 0.15]), up: ofBody([0, 0, 1]) },
  "four-chamber": { from: FOUR, up: [0, 0, 1] },
  "short axis": { from: [0, 0, -1], up: [0, 1, 0] },
  "en face valves": { from: [0, 0, 1], up: [0, 1, 0] },
  LVOT: { from: OUT, up: [0, 0, 1] },
};

export const PLANES: Record<ViewName, Plane | null> = {
  anterior: null, "four-chamber": { normal: FOUR, offset: 0 }, "short axis": { normal: [0, 0, -1], offset: -40, hides: ["aorta", "descending", "pulmonary", "veins", "caval"], unseen: ["la", "ra"] },
  "en face valves": { normal: [0, 0, 1], offset: 93, hides: ["veins", "caval", "descending"], unseen: ["lv", "rv"] }, LVOT: { normal: OUT, offset: 0 },
};

/** The turn of a camera that looks from a view. */
export function turnOf(view: View, toScene: Matrix4): Quaternion {
  const from = new Vector3(...view.from).transformDirection(toScene), up = new Vector3(...view.up).transformDirection(toScene);
  return new Quaternion().setFromRotationMatrix(new Matrix4().lookAt(from, new Vector3(), up));
}

/** Where a camera of this turn must stand so that points (scene, xyz after xyz) fill `share` of the view. */
export function standing(points: Float32Array, turn: Quaternion, tanY: number, aspect: number, share: number): { eye: Vector3; distance: number } {
  const x = new Vector3(1, 0, 0).applyQuaternion(turn), y = new Vector3(0, 1, 0).applyQuaternion(turn), z = new Vector3(0, 0, 1).applyQuaternion(turn);
  const ty = tanY * share, tx = tanY * aspect * share, p = new Vector3();
  // Each side of the view is a plane through the eye: the farthest point against each decides.
  let r = -1e9, l = -1e9, t = -1e9, b = -1e9, near = -1e9, far = 1e9;
  for (let i = 0; i < points.length; i += 3) {
    p.set(points[i]!, points[i + 1]!, points[i + 2]!);
    const px = p.dot(x), py = p.dot(y), pz = p.dot(z);
    r = Math.max(r, px + tx * pz); l = Math.max(l, -px + tx * pz); t = Math.max(t, py + ty * pz); b = Math.max(b, -py + ty * pz);
    near = Math.max(near, pz); far = Math.min(far, pz);
  }
  const depth = Math.max((r + l) / (2 * tx), (t + b) / (2 * ty));
  const eye = new Vector3().addScaledVector(x, (r - l) / 2).addScaledVector(y, (t - b) / 2).addScaledVector(z, depth);
  return { eye, distance: depth - (near + far) / 2 };
}
