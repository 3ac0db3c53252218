/** Every part of the heart, and the closed shapes of its muscle. */
import { atrium, LEFT, RIGHT } from "./atria";
import { fine } from "./detail";
import { type Field, join, lidded, scaled, sheet, sum, type Surface } from "./fields";
import { papillaryMuscles, type Valve, valveParts } from "./valves";
import { epicardium, leftVentricle, outer, profile, right, rightVentricle, round } from "./ventricles";
import { vesselParts } from "./vessels";

export type PartName = "lv" | "rv" | "la" | "ra" | "wall" | "papillary" | "aorta" | "descending" | "pulmonary" | "veins" | "caval" | "coronaries" | `${Valve["name"]} valve` | `${"mitral" | "tricuspid"} chordae`;

const AROUND = fine(96), ATRIAL = 2; // [mm] thickness of the wall of an atrium
const outside = (): Surface => sheet(AROUND, fine(44), true, (u, v) => epicardium(2 * Math.PI * u, v ** 1.3));

function shell(): Surface {
  const rim = (from: (t: number, v: number) => Field, to: (t: number, v: number) => Field): Surface => sheet(AROUND, 1, true, (u, v) => (v === 0 ? from : to)(2 * Math.PI * u, 1));
  const inside = (t: number): Field => ({ a: round(t, profile(1)), h: [0, 0, 1] });
  // Fat and fibrous tissue roof the ventricles between the atria and the great vessels.
  const roof = sheet(AROUND, fine(8), true, (u, v) => {
    const t = 2 * Math.PI * u, up = 6 * Math.sin(Math.PI * Math.min(1, 1.2 * v)) * (1 - 0.5 * v);
    return sum(scaled(epicardium(t, 1), 1 - v), { h: [0, 0, v], k: [6 * v, 0, up + v] });
  });
  return join(outside(), roof, rim(epicardium, right), rim(outer, inside), atrium(LEFT, ATRIAL), atrium(RIGHT, ATRIAL));
}

/** Closed shapes that hold the muscle of the ventricles, the left and the right atrium; less the cavities they are the muscle. */
export const muscles = (): Surface[] => [lidded(outside(), AROUND, { h: [0, 0, 1] }), atrium(LEFT, ATRIAL), atrium(RIGHT, ATRIAL)];

export const anatomy = (): Record<PartName, Surface> => ({
  lv: leftVentricle(), rv: rightVentricle(), la: atrium(LEFT), ra: atrium(RIGHT), wall: shell(), papillary: papillaryMuscles(), ...vesselParts(), ...valveParts(),
});
