/**
 * The patient's own ventricles out of the server's GLB file: one mesh each that moves through the phases of a
 * cine, put into the axes of the heart (z from apex to base, x to the right ventricle) in millimetres. The phase
 * shown is the one at which the pictures' left ventricle had the volume that the twin believes in.
 */
import { BufferAttribute, BufferGeometry, DataTexture, FloatType, NearestFilter, RGBAFormat, Sphere, Vector3 } from "three";

export type ScanName = "left_ventricle" | "left_ventricle_outside" | "right_ventricle";
export interface ScanPart { name: ScanName; /** (phase, vertex, 3) [mm]. */ points: Float32Array; triangles: Uint32Array; count: number }
export interface Scan {
  date: string; madeBy: string; phases: number; lv: readonly number[]; parts: readonly ScanPart[];
  /** Rows: to the right ventricle, across, to the base, in RAS. */ axes: readonly (readonly number[])[];
  /** Height of the valve plane at each phase [mm]. */ base: readonly number[]; full: number; least: number;
}
interface Extras { date: string; made_by: string; phases: number[]; lv_ml: number[]; origin: number[]; axes: number[][] }
interface Document {
  asset: { extras: Extras }; nodes: { mesh: number; name: ScanName; translation: number[]; scale: number[] }[];
  meshes: { primitives: { attributes: { POSITION: number }; indices: number; targets: { POSITION: number }[] }[] }[];
  accessors: { bufferView: number; count: number; componentType?: number }[]; bufferViews: { byteOffset: number; byteLength: number }[];
}
const WHOLE = 32767, SHORT = 5123; // of a normalised short; the type of two-byte indices

/** Reads the file; throws where it is not one of ours. */
export function readScan(file: ArrayBuffer): Scan {
  const head = new DataView(file), size = head.getUint32(12, true);
  if (head.getUint32(0, true) !== 0x46546c67) throw new Error("The heart of the pictures is no GLB file.");
  const told = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 20, size))) as Document, start = 28 + size, { extras } = told.asset;
  const shorts = (k: number): Int16Array => new Int16Array(file, start + told.bufferViews[told.accessors[k]!.bufferView]!.byteOffset, 4 * told.accessors[k]!.count);
  const parts = told.nodes.map((node): ScanPart => {
    const { attributes, indices, targets } = told.meshes[node.mesh]!.primitives[0]!, first = shorts(attributes.POSITION), count = first.length / 4;
    const points = new Float32Array(3 * count * (targets.length + 1)), moves = [null, ...targets.map((t) => shorts(t.POSITION))];
    for (const [t, move] of moves.entries()) for (let v = 0; v < count; v++) {
      const g = [0, 1, 2].map((i) => (((first[4 * v + i]! + (move ? move[4 * v + i]! : 0)) / WHOLE) * node.scale[i]!) + node.translation[i]!);
      const ras = [-g[0]!, g[2]!, g[1]!].map((x, i) => 1e3 * (x - extras.origin[i]!));
      for (let i = 0; i < 3; i++) points[3 * (t * count + v) + i] = extras.axes[i]!.reduce((sum, a, n) => sum + a * ras[n]!, 0);
    }
    const view = told.bufferViews[told.accessors[indices]!.bufferView]!, bytes = file.slice(start + view.byteOffset, start + view.byteOffset + view.byteLength);
    return { name: node.name, points, count, triangles: told.accessors[indices]!.componentType === SHORT ? Uint32Array.from(new Uint16Array(bytes)) : new Uint32Array(bytes) };
  });
  const phases = extras.phases.length, cavity = parts.find((p) => p.name === "left_ventricle")!, of = (pick: (a: number, b: number) => boolean): number => extras.lv_ml.reduce((best, v, i, all) => (pick(v, all[best]!) ? i : best), 0);
  const base = Array.from({ length: phases }, (_, t) => baseOf(cavity.points.subarray(3 * cavity.count * t, 3 * cavity.count * (t + 1))));
  return { date: extras.date, madeBy: extras.made_by, phases, lv: extras.lv_ml, parts, axes: extras.axes, base, full: of((a, b) => a > b), least: of((a, b) => a < b) };
}

/** Height of the middle of a cavity's lid: the highest point near the axis. */
function baseOf(points: Float32Array): number {
  let wide = 0, high = -Infinity, most = -Infinity;
  for (let i = 0; i < points.length; i += 3) wide = Math.max(wide, Math.hypot(points[i]!, points[i + 1]!));
  for (let i = 0; i < points.length; i += 3) {
    most = Math.max(most, points[i + 2]!);
    if (Math.hypot(points[i]!, points[i + 1]!) < 0.4 * wide) high = Math.max(high, points[i + 2]!);
  }
  return Number.isFinite(high) && high > most - 0.4 * wide ? high : most;
}

/** Between which phases, and how far from the first to the second. */
export interface Between { from: number; to: number; share: number; /** Whether the pictures never showed that volume. */ beyond: boolean }

/** From end diastole to end systole, or on to the next end diastole: phases in order, and volumes that never turn back. */
function limb(scan: Scan, from: number, to: number, falling: boolean): { order: number[]; volumes: number[] } {
  const n = scan.phases, steps = (to - from + n) % n || n, order = Array.from({ length: steps + 1 }, (_, i) => (from + i) % n), volumes: number[] = [];
  for (const k of order) { const v = scan.lv[k]!, last = volumes.at(-1) ?? v; volumes.push(falling ? Math.min(v, last) : Math.max(v, last)); }
  return { order, volumes };
}

/** Finds phases by volume; allocates nothing once made. */
export function finder(scan: Scan): (volume: number, full: number, aortic: number, mitral: number) => Between {
  const down = limb(scan, scan.full, scan.least, true), up = limb(scan, scan.least, scan.full, false), out: Between = { from: 0, to: 0, share: 0, beyond: false };
  const most = scan.lv[scan.full]!, least = scan.lv[scan.least]!;
  return (volume, full, aortic, mitral) => {
    // With all valves shut a full ventricle is about to eject; any other goes on to fill.
    const ejects = aortic > 0.02 || (mitral < 0.02 && volume > full - 0.1 * (full - least)), { order, volumes } = ejects ? down : up, sign = ejects ? -1 : 1;
    let k = 0;
    while (k < order.length - 2 && sign * (volume - volumes[k + 1]!) > 0) k++;
    const a = volumes[k]!, b = volumes[k + 1]!, share = a === b ? 0 : (volume - a) / (b - a);
    out.from = order[k]!; out.to = order[k + 1]!; out.share = Math.min(1, Math.max(0, share));
    out.beyond = volume > 1.02 * most || volume < 0.98 * least;
    return out;
  };
}

/** Buffers of a part: indices, where it rests, and textures of places and normals, a row for each phase. */
export function scanGeometry(part: ScanPart, phases: number, rest: number): { geometry: BufferGeometry; places: DataTexture; normals: DataTexture } {
  const { count, points, triangles } = part, places = new Float32Array(4 * count * phases), normals = new Float32Array(4 * count * phases);
  for (let t = 0; t < phases; t++) {
    const one = points.subarray(3 * count * t, 3 * count * (t + 1)), moved = new BufferGeometry();
    moved.setIndex(new BufferAttribute(triangles, 1)); moved.setAttribute("position", new BufferAttribute(one, 3)); moved.computeVertexNormals();
    const facing = moved.getAttribute("normal");
    for (let v = 0; v < count; v++) {
      places.set(one.subarray(3 * v, 3 * v + 3), 4 * (t * count + v));
      normals.set([facing.getX(v), facing.getY(v), facing.getZ(v)], 4 * (t * count + v));
    }
    moved.dispose();
  }
  const geometry = new BufferGeometry();
  geometry.setIndex(new BufferAttribute(triangles, 1));
  geometry.setAttribute("position", new BufferAttribute(points.slice(3 * count * rest, 3 * count * (rest + 1)), 3));
  geometry.boundingSphere = new Sphere(new Vector3(0, 0, 60), 1e4);
  return { geometry, places: texture(places, count, phases), normals: texture(normals, count, phases) };
}

function texture(data: Float32Array, wide: number, high: number): DataTexture {
  const made = new DataTexture(data, wide, high, RGBAFormat, FloatType);
  made.minFilter = made.magFilter = NearestFilter; made.needsUpdate = true;
  return made;
}

/** The server's heart out of pictures; null where there are none. */
export async function fetchScan(): Promise<Scan | null> {
  const answer = await fetch("./heart.glb");
  return answer.status === 200 ? readScan(await answer.arrayBuffer()) : null;
}
