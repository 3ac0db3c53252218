/** The great vessels and the coronary arteries. Points are in axes of the body (left, back, head) from the root [mm]. */
import { type Field, join, plus, sum, type Surface, type Vec3 } from "./fields";
import { spline, tube } from "./tube";
import { VALVE_SITES } from "./valves";
import { bell, epicardium, HEIGHT, ofBody, round, smooth } from "./ventricles";

const RAD = Math.PI / 180;

/** A vessel from a root that moves with the valve plane to an end that stands still. */
function vessel(root: Field, points: readonly Vec3[], radius: (q: number) => number, along = 40, from = 0, to = 1): Surface {
  const path = points.map(ofBody), ahead = (q: number): Vec3 => plus(spline(path, Math.min(1, q + 0.02)), spline(path, Math.max(0, q - 0.02)), -1);
  const part = (s: number): number => from + s * (to - from);
  return tube((s) => {
    const q = part(s), h = root.h?.[2] ?? 0, move = 1 - smooth(2 * q); // what lies far off does not move
    const still: Field = { k: plus(spline(path, q), [0, 0, HEIGHT * h * (1 - move)]), h: [0, 0, h * move] };
    return sum({ ...root, h: [0, 0, 0] }, still);
  }, (s) => ahead(part(s)), (s) => radius(part(s)), along);
}

/** Where a root is at the end of diastole, for what leaves its vessel far from the valve plane. */
const still = (root: Field): Field => sum({ ...root, h: [0, 0, 0] }, { k: [0, 0, HEIGHT] });
const STILL = { k: [0, 0, HEIGHT] as Vec3 };
const stub = (from: Vec3, points: readonly Vec3[], radius: number): Surface => vessel(sum(STILL, { k: from }), points, () => radius, 14);

function coronary(points: readonly (readonly [number, number])[], radius: number): Surface {
  const flat = points.map(([t, v]): Vec3 => [t * RAD, v, 0]);
  const spot = (q: number): Field => { const [t, v] = spline(flat, q); return sum(epicardium(t, v), { k: round(t, 1.3) }); };
  const still = (q: number): Vec3 => { const f = spot(Math.min(1, Math.max(0, q))); return plus(plus(plus([0, 0, 0], f.a ?? [0, 0, 0], 34), f.d ?? [0, 0, 0], 28), f.h ?? [0, 0, 0], HEIGHT); };
  return tube(spot, (q) => plus(still(q + 0.01), still(q - 0.01), -1), (q) => radius * (1 - 0.55 * q), 60, 8);
}

const ARCH: Vec3[] = [[0, 0, -1], [-6, -1, 12], [-13, -4, 31], [-14, 0, 50], [-6, 11, 66], [6, 28, 71], [17, 47, 62], [23, 62, 38], [24, 69, 5], [23, 72, -36]];
const wide = (q: number): number => 11 + 3.4 * bell(q - 0.07, 0.05) - 2.6 * smooth((q - 0.3) / 0.4);
const DESCENDS = 0.72; // share of the way at which the arch becomes the descending aorta
function aorta(root: Field): Surface {
  return join(vessel(root, ARCH, wide, 60, 0, DESCENDS), // brachiocephalic, left common carotid and left subclavian artery
    vessel(still(root), [[-8, 8, 62], [-12, 7, 78], [-20, 5, 92]], () => 5.6, 10), vessel(still(root), [[1, 20, 69], [1, 20, 80], [-1, 20, 92]], () => 3.6, 10), vessel(still(root), [[11, 36, 67], [13, 38, 80], [18, 39, 91]], () => 4.3, 10));
}

function pulmonary(root: Field): Surface {
  const trunk: Vec3[] = [[-2, -2, -6], [1, 3, 8], [4, 13, 18], [10, 26, 21], [24, 42, 18], [42, 50, 17]];
  return join(vessel(root, trunk, (q) => 11.5 + bell(q - 0.1, 0.12) - 3.5 * q, 36), vessel(still(root), [[6, 18, 17], [-4, 36, 20], [-24, 57, 17], [-58, 64, 10]], () => 8, 28));
}

export function vesselParts(): Record<"aorta" | "descending" | "pulmonary" | "veins" | "caval" | "coronaries", Surface> {
  return {
    aorta: aorta(VALVE_SITES[1]!.centre), descending: vessel(VALVE_SITES[1]!.centre, ARCH, wide, 24, DESCENDS, 1), pulmonary: pulmonary(VALVE_SITES[3]!.centre),
    veins: join(
      stub([-14, -18, 30], [[11, 7, 4], [22, 13, 8], [35, 19, 12]], 5.6), stub([-14, -20, 26], [[11, 8, -5], [22, 15, -9], [34, 21, -13]], 5.4),
      stub([-6, -16, 34], [[-10, 9, 3], [-22, 17, 6], [-44, 23, 10]], 5.6), stub([-8, -20, 32], [[-9, 9, -4], [-22, 17, -8], [-42, 23, -14]], 5.4)),
    caval: join(stub([40, -16, 26], [[0, 1, 17], [1, 0, 34], [2, -3, 56], [4, -5, 80]], 9), stub([40, -18, 26], [[0, 3, -17], [0, 5, -30], [2, 8, -50]], 10.5)),
    coronaries: join(
      coronary([[116, 0.97], [113, 0.88], [108, 0.74], [101, 0.5], [74, 0.28], [40, 0.08]], 1.8), coronary([[108, 0.76], [127, 0.62], [140, 0.42], [146, 0.24]], 1.4),
      coronary([[114, 0.97], [124, 0.95], [150, 0.93], [190, 0.92], [225, 0.9]], 1.8), coronary([[150, 0.93], [162, 0.72], [168, 0.45]], 1.4),
      coronary([[34, 0.99], [18, 0.95], [-8, 0.93], [-40, 0.93], [-72, 0.93], [-84, 0.8], [-78, 0.52], [-62, 0.38]], 1.8), coronary([[-20, 0.93], [-24, 0.7], [-20, 0.45]], 1.3)),
  };
}
