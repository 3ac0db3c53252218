/** Turns parts into buffers once: the same triangles in every phase, nothing uploaded after this. */
import { BufferAttribute, BufferGeometry, Sphere, Vector3 } from "three";
import type { PartName } from "./anatomy";
import { COUNT, join, type Surface, WEIGHTS } from "./fields";
import { VALVES } from "./frame";
import { type Pose, vertexAt } from "./motion";
import { ring, type Valve, VALVE_SITES } from "./valves";

export type Rgb = readonly [number, number, number];
export const LEAFLET: Rgb = [0.97, 0.9, 0.78];
/** Okabe and Ito's colours, told apart by the colour-blind; in the order of VALVES. */
export const RINGS: readonly Rgb[] = [[0.9, 0.62, 0], [0.94, 0.89, 0.26], [0.34, 0.71, 0.91], [0, 0.72, 0.52]];

/** Eight fields and the opening of each vertex, one after the other. */
export function rowsOf(s: Surface): Float32Array {
  const rows = new Float32Array(s.fields.length * 3 * (COUNT + 1)), names = [...WEIGHTS, "open" as const];
  s.fields.forEach((f, v) => { names.forEach((n, i) => { const x = f[n]; if (x) rows.set(x, (v * (COUNT + 1) + i) * 3); }); });
  return rows;
}

/** Positions in one pose, valves shut. */
export function positions(rows: Float32Array, pose: Pose): Float32Array {
  const n = rows.length / (3 * (COUNT + 1)), out = new Float32Array(3 * n), p = new Float32Array(3);
  for (let v = 0; v < n; v++) { vertexAt(rows, v, pose, 0, p); out.set(p, 3 * v); }
  return out;
}

/** Buffers of a surface: its fields, and nothing else. */
export function meshOf(s: Surface): BufferGeometry {
  const rows = rowsOf(s), n = s.fields.length, g = new BufferGeometry();
  g.setIndex([...s.triangles, ...s.lids]);
  for (let i = 0; i <= COUNT; i++) {
    const part = new Float32Array(3 * n);
    for (let v = 0; v < n; v++) part.set(rows.subarray((v * (COUNT + 1) + i) * 3, (v * (COUNT + 1) + i) * 3 + 3), 3 * v);
    g.setAttribute(i < COUNT ? `f${i}` : "fo", new BufferAttribute(part, 3));
  }
  g.boundingSphere = new Sphere(new Vector3(0, 0, 60), 1e4);
  return g;
}

export function geometryOf(name: PartName, surface: Surface, rest: Pose): BufferGeometry {
  const valve = VALVES.findIndex((v) => name.startsWith(`${v} `)), leaflets = surface.fields.length;
  const whole = !name.endsWith(" valve") ? surface : join(surface, ring(VALVE_SITES.find((v) => v.name === VALVES[valve]) as Valve));
  const n = whole.fields.length, g = meshOf(whole), tint = new Float32Array(3 * n);
  g.setAttribute("position", new BufferAttribute(positions(rowsOf(whole), rest), 3));
  g.computeVertexNormals();
  for (let v = 0; v < n; v++) tint.set(v < leaflets || valve < 0 ? LEAFLET : RINGS[valve]!, 3 * v);
  g.setAttribute("tint", new BufferAttribute(tint, 3));
  g.setAttribute("valve", new BufferAttribute(new Float32Array(n).fill(valve), 1));
  return g;
}

/** Paints the fat that lies along the vessels of the heart into the tint of its wall. */
export function fatten(wall: BufferGeometry, vessels: BufferGeometry, muscle: Rgb, fat: Rgb, reach: number): void {
  const xyz = wall.getAttribute("position"), lines = vessels.getAttribute("position"), tint = wall.getAttribute("tint");
  for (let v = 0; v < xyz.count; v++) {
    let near = Infinity;
    for (let c = 0; c < lines.count; c += 8) near = Math.min(near, (xyz.getX(v) - lines.getX(c)) ** 2 + (xyz.getY(v) - lines.getY(c)) ** 2 + (xyz.getZ(v) - lines.getZ(c)) ** 2);
    const share = Math.exp(-near / reach ** 2);
    tint.setXYZ(v, muscle[0] + share * (fat[0] - muscle[0]), muscle[1] + share * (fat[1] - muscle[1]), muscle[2] + share * (fat[2] - muscle[2]));
  }
}
