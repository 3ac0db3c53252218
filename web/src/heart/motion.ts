/** From a frame to the few weights that shape the heart: every cavity gets exactly its volume. */
import type { PartName } from "./anatomy";
import { at, COUNT, solveWeight, type Surface, volumeForm } from "./fields";
import type { HeartFrame } from "./frame";
import { HEIGHT } from "./ventricles";

/** Height over that at end diastole = (volume over end-diastolic)^SHORTENING: 15 % at an ejection fraction of 0.58. */
const SHORTENING = 0.19;
const TWIST = 1.4; // [rad] of the apex per share of shortening: 12 degrees at 15 %
const SWAY = 60; // [mm] of the apex per share of shortening in a beat that begins in a ventricle

export interface Shape { forms: Record<"lv" | "rv" | "la" | "ra", Float64Array> }
/** What the vertex shader is told. */
export interface Pose { weights: Float32Array; twist: number; sway: number }

export const shapeOf = (parts: Record<PartName, Surface>): Shape => ({
  forms: { lv: volumeForm(parts.lv), rv: volumeForm(parts.rv), la: volumeForm(parts.la), ra: volumeForm(parts.ra) },
});

export const newPose = (): Pose => ({ weights: new Float32Array([1, HEIGHT, 24, 9.5, 25, 3.5, 22, 22]), twist: 0, sway: 0 });

/** Sets a pose to a frame, the valve plane at `height` where pictures say it [mm]; allocates nothing. */
export function poseTo(pose: Pose, shape: Shape, frame: HeartFrame, height?: number): void {
  const w = pose.weights, { volume, endDiastole } = frame;
  const k = Math.cbrt(endDiastole.lv / 120), short = (volume.lv / endDiastole.lv) ** SHORTENING;
  w[at.k] = k; w[at.h] = height ?? HEIGHT * k * short; w[at.t] = frame.wall.lv; w[at.u] = frame.wall.rv;
  w[at.a] = solveWeight(shape.forms.lv, w, at.a, 1e3 * volume.lv);
  w[at.d] = solveWeight(shape.forms.rv, w, at.d, 1e3 * volume.rv);
  w[at.l] = solveWeight(shape.forms.la, w, at.l, 1e3 * volume.la);
  w[at.r] = solveWeight(shape.forms.ra, w, at.r, 1e3 * volume.ra);
  pose.twist = frame.kind === "V" ? 0 : -TWIST * (1 - short); // the apex turns anticlockwise seen from below
  pose.sway = frame.kind === "V" ? SWAY * k * (1 - short) : 0;
}

/** The vertex shader's law on the processor, for tests, labels and framing: position of a vertex, valves as opened. */
export function vertexAt(rows: Float32Array, vertex: number, pose: Pose, opening: number, out: Float32Array): void {
  const w = pose.weights, base = vertex * 3 * (COUNT + 1), h = w[at.h]!;
  for (let n = 0; n < 3; n++) {
    let sum = rows[base + 3 * COUNT + n]! * opening * w[at.k]!;
    for (let i = 0; i < COUNT; i++) sum += rows[base + 3 * i + n]! * w[i]!;
    out[n] = sum;
  }
  const low = Math.max(0, 1 - out[2]! / h), turn = pose.twist * low, c = Math.cos(turn), s = Math.sin(turn), x = out[0]!, y = out[1]!;
  out[0] = c * x - s * y + pose.sway * low * low; out[1] = s * x + c * y;
}
