/** One moment of a heart, as it is drawn: pure numbers, no clock and no picture. */
export const CHAMBERS = ["lv", "rv", "la", "ra"] as const;
export const VALVES = ["mitral", "aortic", "tricuspid", "pulmonary"] as const;
export type ChamberName = (typeof CHAMBERS)[number];
export type ValveName = (typeof VALVES)[number];
export type ByChamber = Record<ChamberName, number>;
export type ByValve = Record<ValveName, number>;
/** What colours the chambers: pressure [mmHg], strain [1], saturation of oxygen [1]. */
export type FieldName = "pressure" | "strain" | "saturation";
export type BeatKind = "N" | "S" | "V";

export interface HeartFrame {
  /** Of the cavities [mL], now and at the end of diastole. */
  volume: ByChamber; endDiastole: ByChamber;
  /** Thickness of the walls of the ventricles now [mm]. */
  wall: { lv: number; rv: number };
  /** Opening of each valve, 0 shut to 1 wide; flow through it, forward positive [mL/s]. */
  opening: ByValve; flow: ByValve;
  field: Record<FieldName, ByChamber>;
  /** Of the cycle's curves, 0 at R, held below 1 until the next; kind of the beat shown; whether the picture is too old to be believed. */
  phase: number; kind: BeatKind; stale: boolean;
  /** R of the beat shown, on the display axis [s]. */
  r: number;
}

const each = (lv: number, rv: number, la: number, ra: number): ByChamber => ({ lv, rv, la, ra });

/** A heart of nobody: an adult's at the end of diastole. */
export function restingFrame(): HeartFrame {
  return {
    volume: each(120, 140, 45, 50), endDiastole: each(120, 140, 45, 50), wall: { lv: 9.5, rv: 3.5 },
    opening: { mitral: 0, aortic: 0, tricuspid: 0, pulmonary: 0 },
    flow: { mitral: 0, aortic: 0, tricuspid: 0, pulmonary: 0 },
    field: { pressure: each(8, 4, 8, 4), strain: each(0, 0, 0, 0), saturation: each(0.98, 0.72, 0.98, 0.72) },
    phase: 0, kind: "N", stale: false, r: NaN,
  };
}
