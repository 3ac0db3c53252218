/** Where pictures lie in the body: pixels and points (RAS, mm), cuts of one plane in another, sides of a person. */
export type Vec3 = readonly [number, number, number];
/** Rows of voxel to RAS [mm]. */
export type Affine = readonly (readonly number[])[];
export interface Placed { affine_ras_mm: Affine; shape: readonly number[] }

export const toSpace = (a: Affine, [i, j, k]: Vec3): Vec3 => {
  const row = (n: number): number => a[n]![0]! * i + a[n]![1]! * j + a[n]![2]! * k + a[n]![3]!;
  return [row(0), row(1), row(2)];
};

export function toIndex(m: Affine, p: Vec3): Vec3 {
  const c = (n: number): Vec3 => [m[0]![n]!, m[1]![n]!, m[2]![n]!];
  const d: Vec3 = [p[0] - m[0]![3]!, p[1] - m[1]![3]!, p[2] - m[2]![3]!], [x, y, z] = [c(0), c(1), c(2)], volume = det(x, y, z);
  return [det(d, y, z) / volume, det(x, d, z) / volume, det(x, y, d) / volume];
}

const det = (a: Vec3, b: Vec3, c: Vec3): number => a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0]);

/** Unit vector along an axis of the voxels. */
export function axis(a: Affine, n: 0 | 1 | 2): Vec3 {
  const v: Vec3 = [a[0]![n]!, a[1]![n]!, a[2]![n]!], size = Math.hypot(...v) || 1;
  return [v[0] / size, v[1] / size, v[2] / size];
}

const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
/** Normal of the slices, a unit vector; `axis` of k may lean. */
export function normal(a: Affine): Vec3 {
  const [x, y] = [axis(a, 0), axis(a, 1)], n: Vec3 = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]], size = Math.hypot(...n) || 1;
  return [n[0] / size, n[1] / size, n[2] / size];
}
/** Cosine between two stacks' normals, 0 where they stand upright on each other. */
export const alike = (a: Affine, b: Affine): number => Math.abs(dot(normal(a), normal(b)));

/** Where slice `k` of one stack cuts slice `l` of another: two points of the latter's border [pixel], or nothing. */
export function crossing(one: Placed, k: number, other: Placed, l: number): [number, number, number, number] | null {
  const wide = other.shape[0]! - 1, high = other.shape[1]! - 1;
  const off = (i: number, j: number): number => toIndex(one.affine_ras_mm, toSpace(other.affine_ras_mm, [i, j, l]))[2] - k;
  const corners: [number, number][] = [[0, 0], [wide, 0], [wide, high], [0, high]], met: number[] = [];
  corners.forEach(([i, j], n) => {
    const [x, y] = corners[(n + 1) % 4]!, from = off(i, j), to = off(x, y);
    if (from > 0 === to > 0) return;
    const share = from / (from - to);
    met.push(i + share * (x - i), j + share * (y - j));
  });
  return met.length === 4 ? [met[0]!, met[1]!, met[2]!, met[3]!] : null;
}

/** Letters of the person's side that a direction points to: right, left, front (A), back (P), head, feet. */
export function side(v: Vec3): string {
  const named: [number, string][] = [[Math.abs(v[0]), v[0] > 0 ? "R" : "L"], [Math.abs(v[1]), v[1] > 0 ? "A" : "P"], [Math.abs(v[2]), v[2] > 0 ? "H" : "F"]];
  return named.filter(([n]) => n > 0.42).sort((a, b) => b[0] - a[0]).slice(0, 2).map(([, s]) => s).join("");
}
