/**
 * Shapes whose vertices are linear in a few weights, so that a closed mesh has a volume that is an
 * exact cubic form of the weights: V(w) = sum T_ijk w_i w_j w_k with T_ijk = sum over triangles of
 * det(F_i(a), F_j(b), F_k(c)) / 6, by the divergence theorem.
 */
/** k scale of what stands still [1]; h height of the valve plane, a radius of the left ventricle, t its wall,
 * d depth of the right ventricle, u its wall, l and r radius of the left and right atrium [mm]. */
export const WEIGHTS = ["k", "h", "a", "t", "d", "u", "l", "r"] as const;
export type Weight = (typeof WEIGHTS)[number];
export const COUNT = WEIGHTS.length;
export const at: Record<Weight, number> = { k: 0, h: 1, a: 2, t: 3, d: 4, u: 5, l: 6, r: 7 };

export type Vec3 = readonly [number, number, number];
/** What each weight adds to a vertex, and what a valve's opening adds (times k). */
export type Field = Partial<Record<Weight | "open", Vec3>>;

export const plus = (a: Vec3, b: Vec3, s = 1): Vec3 => [a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]];
export const cross = (a: Vec3, b: Vec3): Vec3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const unit = (a: Vec3): Vec3 => { const n = Math.hypot(...a) || 1; return [a[0] / n, a[1] / n, a[2] / n]; };

/** The sum of fields. */
export function sum(...fields: Field[]): Field {
  const out: Field = {};
  for (const f of fields) for (const [name, v] of Object.entries(f) as [Weight | "open", Vec3][]) out[name] = plus(out[name] ?? [0, 0, 0], v);
  return out;
}

export const scaled = (f: Field, s: number): Field => Object.fromEntries(Object.entries(f).map(([name, v]) => [name, plus([0, 0, 0], v, s)]));

/** Where a vertex is, its valve shut. */
export function place(field: Field, w: ArrayLike<number>): Vec3 {
  let p: Vec3 = [0, 0, 0];
  for (const name of WEIGHTS) { const v = field[name]; if (v) p = plus(p, v, w[at[name]]!); }
  return p;
}

export interface Surface { fields: Field[]; triangles: number[]; /** Triangles that close the mesh: its lid, in which the valves are holes. */ lids: number[] }

/** A sheet of nu by nv vertices, u running round (joined) or across; seen from outside with u to the right and v up. */
export function sheet(nu: number, nv: number, joined: boolean, vertex: (u: number, v: number) => Field): Surface {
  const fields: Field[] = [], triangles: number[] = [];
  for (let j = 0; j <= nv; j++) for (let i = 0; i < (joined ? nu : nu + 1); i++) fields.push(vertex(i / nu, j / nv));
  const row = joined ? nu : nu + 1;
  for (let j = 0; j < nv; j++) for (let i = 0; i < nu; i++) {
    const a = j * row + i, b = j * row + (i + 1) % row, c = a + row, d = b + row;
    triangles.push(a, b, d, a, d, c);
  }
  return { fields, triangles, lids: [] };
}

export function join(...parts: Surface[]): Surface {
  const out: Surface = { fields: [], triangles: [], lids: [] };
  for (const p of parts) {
    const n = out.fields.length;
    for (const f of p.fields) out.fields.push(f);
    for (const t of p.triangles) out.triangles.push(t + n);
    for (const t of p.lids) out.lids.push(t + n);
  }
  return out;
}

/** Closes the last row of a joined sheet with a fan about its middle; the rim is there twice, so that its edge is sharp. */
export function lidded(s: Surface, nu: number, middle: Field): Surface {
  const n = s.fields.length, lids: number[] = [];
  for (let i = 0; i < nu; i++) lids.push(n + i, n + (i + 1) % nu, n + nu);
  return { fields: [...s.fields, ...s.fields.slice(-nu), middle], triangles: s.triangles, lids: [...s.lids, ...lids] };
}

/** The volume form T of a closed surface, COUNT^3 numbers. */
export function volumeForm(s: Surface): Float64Array {
  const form = new Float64Array(COUNT ** 3), all = [...s.triangles, ...s.lids];
  const parts = s.fields.map((f) => WEIGHTS.flatMap((n, i) => (f[n] ? [[i, f[n]] as const] : [])));
  for (let q = 0; q < all.length; q += 3)
    for (const [i, a] of parts[all[q]!]!) for (const [j, b] of parts[all[q + 1]!]!) {
      const ab = cross(a, b);
      for (const [k, c] of parts[all[q + 2]!]!) form[(i * COUNT + j) * COUNT + k]! += dot(ab, c) / 6;
    }
  return form;
}

const cubic = new Float64Array(4);
/** The weight `index` that gives the form the volume wanted, by Newton's method from `w[index]`; other weights are kept. */
export function solveWeight(form: Float64Array, w: Float32Array, index: number, volume: number): number {
  cubic.fill(0);
  for (let i = 0, q = 0; i < COUNT; i++) for (let j = 0; j < COUNT; j++) for (let k = 0; k < COUNT; k++, q++) {
    if (form[q] === 0) continue;
    const power = +(i === index) + +(j === index) + +(k === index);
    cubic[power]! += form[q]! * (i === index ? 1 : w[i]!) * (j === index ? 1 : w[j]!) * (k === index ? 1 : w[k]!);
  }
  const c0 = cubic[0]!, c1 = cubic[1]!, c2 = cubic[2]!, c3 = cubic[3]!;
  let x = Math.max(w[index]!, 1);
  for (let n = 0; n < 20; n++) {
    const step = (c0 + x * (c1 + x * (c2 + x * c3)) - volume) / (c1 + x * (2 * c2 + x * 3 * c3));
    x = Math.max(x - step, 0.1 * x);
    if (Math.abs(step) < 1e-7 * x) break;
  }
  return x;
}
