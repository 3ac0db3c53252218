/** The patient's pictures from the server: what there is, and slices as they are looked at. */
import type { Affine } from "./place";

export interface Stack {
  name: string; modality: string; unit: string; shape: [number, number, number]; spacing_mm: [number, number, number]; affine_ras_mm: Affine;
  phases: number[]; cycle_s: number | null; range: [number, number]; window: [number, number]; decisions: string[]; /** Whether contours can be corrected here. */ corrected: boolean;
}
/** Curves over the beat, and what they rest on. */
export interface Found {
  phases: number[]; left_ml: number[]; right_ml: number[]; half_width_ml: number; systolic_half_width_ml: number; ejection_fraction: number; ejection_fraction_half_width: number;
  quality: number; doubts: string[]; made_by: string;
}
/** `corrections`: contours that readers drew, of which the last can be taken back. */
export interface Listed { stacks: Stack[]; heart: Found | null; said: string; corrections: number }
export type Loop = [number, number][];
export const STRUCTURES = ["left", "outer", "right"] as const;
export type Structure = (typeof STRUCTURES)[number];
/** Of each structure at each phase: loops of pixels; empty without a heart. */
export type Contours = Partial<Record<Structure, Loop[][]>>;
/** A slice at all its phases: `values` is (phase, row, column), 0 to 65535 over the stack's range. */
export interface Slice { values: Uint16Array; contours: Contours }

async function answered(path: string, body?: unknown): Promise<Response> {
  const answer = await fetch(`./pictures${path}`, body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (answer.ok) return answer;
  const said = (await answer.json().catch(() => ({}))) as { error?: string };
  throw new Error(said.error ?? `The server answered ${answer.status}.`);
}

export const listed = async (): Promise<Listed> => (await (await answered("")).json()) as Listed;

export async function slice(stack: number, k: number): Promise<Slice> {
  const [values, contours] = await Promise.all([answered(`/${stack}/${k}`), answered(`/${stack}/${k}/contours`)]);
  return { values: new Uint16Array(await values.arrayBuffer()), contours: (await contours.json()) as Contours };
}

export interface Corrected { phase: number; structure: Structure; points: Loop; name: string; qualification: string }
/** Fits the heart again, which takes seconds; gives the list as it is then. */
export const correct = async (stack: number, k: number, what: Corrected): Promise<Listed> => (await (await answered(`/${stack}/${k}/contour`, what)).json()) as Listed;
export const undoCorrection = async (): Promise<Listed> => (await (await answered("/undo", {})).json()) as Listed;
