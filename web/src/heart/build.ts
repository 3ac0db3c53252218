/** Turns parts into buffers once: the same triangles in every phase, nothing uploaded after this. */
import { BufferAttribute, BufferGeometry, Sphere, Vector3 } from "three";
import { type PartName, ring, type Valve, VALVE_SITES } from "./anatomy";
import { COUNT, join, type Surface, WEIGHTS } from "./fields";
import { VALVES } from "./frame";
import { type Pose, vertexAt } from "./motion";

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

export function geometryOf(name: PartName, surface: Surface, rest: Pose): BufferGeometry {
  const valve = VALVES.findIndex((v) => `${v} valve` === name), leaflets = surface.fields.length;
  const whole = valve < 0 ? surface : join(surface, ring(VALVE_SITES.find((v) => v.name === VALVES[valve]) as Valve));
  const rows = rowsOf(whole), n = whole.fields.length, g = new BufferGeometry();
  g.setAttribute("position", new BufferAttribute(positions(rows, rest), 3));
  g.setIndex(whole.triangles);
  g.computeVertexNormals();
  g.setIndex([...whole.triangles, ...whole.lids]); // lids last, shown only in a cut
  for (let i = 0; i <= COUNT; i++) {
    const part = new Float32Array(3 * n);
    for (let v = 0; v < n; v++) part.set(rows.subarray((v * (COUNT + 1) + i) * 3, (v * (COUNT + 1) + i) * 3 + 3), 3 * v);
    g.setAttribute(i < COUNT ? `f${i}` : "fo", new BufferAttribute(part, 3));
  }
  const tint = new Float32Array(3 * n), gate = new Float32Array(n).fill(valve);
  for (let v = 0; v < n; v++) tint.set(v < leaflets || valve < 0 ? LEAFLET : RINGS[valve]!, 3 * v);
  g.setAttribute("tint", new BufferAttribute(tint, 3));
  g.setAttribute("valve", new BufferAttribute(gate, 1));
  g.boundingSphere = new Sphere(new Vector3(0, 0, 60), 1e4);
  return g;
}
