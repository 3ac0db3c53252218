/** Tubes along paths, and the spline that the paths are. */
import { fine } from "./detail";
import { cross, dot, type Field, plus, sheet, sum, type Surface, unit, type Vec3 } from "./fields";

const SIDES: readonly Vec3[] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0], [0, 1, 1], [0, 1, -1], [1, 0, 1], [1, 0, -1], [1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]].map((v) => unit(v as unknown as Vec3));

/** A tube along a path, its ends open. */
export function tube(path: (q: number) => Field, ahead: (q: number) => Vec3, radius: (q: number) => number, along: number, around = 20): Surface {
  // Angles are counted from one direction that the path never takes, or the tube would be wrung.
  const parallel = (d: Vec3): number => Math.max(...Array.from({ length: 33 }, (_, i) => Math.abs(dot(unit(ahead(i / 32)), d))));
  const from = SIDES.reduce((a, b) => (parallel(b) < parallel(a) ? b : a));
  return sheet(fine(around), fine(along), true, (u, q) => {
    const z = unit(ahead(q)), x = unit(cross(z, from)), y = cross(z, x);
    const t = 2 * Math.PI * u, r = radius(q);
    return sum(path(q), { k: plus([x[0] * Math.cos(t) * r, x[1] * Math.cos(t) * r, x[2] * Math.cos(t) * r], y, Math.sin(t) * r) });
  });
}

/** A point of a Catmull-Rom spline. */
export function spline(points: readonly Vec3[], q: number): Vec3 {
  const s = Math.min(q * (points.length - 1), points.length - 1 - 1e-9), i = Math.floor(s), f = s - i;
  const p = (n: number): Vec3 => points[Math.min(points.length - 1, Math.max(0, n))]!;
  const [a, b, c, d] = [p(i - 1), p(i), p(i + 1), p(i + 2)];
  const mix = (n: 0 | 1 | 2): number => b[n] + 0.5 * f * (c[n] - a[n] + f * (2 * a[n] - 5 * b[n] + 4 * c[n] - d[n] + f * (3 * (b[n] - c[n]) + d[n] - a[n])));
  return [mix(0), mix(1), mix(2)];
}
