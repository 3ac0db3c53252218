/**
 * A beat of a future: its rate and volumes are that future's own; its course within the beat is a usual one.
 *
 * Left ventricular ejection time: mean of the two lines of Weissler et al. 1968 (10.1161/01.CIR.37.2.149),
 * pre-ejection period from the same paper (unverified).
 */
import { type ByChamber, type HeartFrame, restingFrame } from "../heart/frame";

export interface Ventricle { diastolic: number; systolic: number }
/** Heart rate [1/min] and volumes [mL] at one instant. */
export interface Beat { rate: number; lv: Ventricle; rv: Ventricle }

const REST = restingFrame();
const EARLY = 0.7; // share of the filling before the atria beat
const ISOVOLUMETRIC = 0.07; // [s]
const RESERVOIR = 0.35; // share of a stroke that waits in an atrium; the rest passes through

const shell = (cavity: number, wall: number): number => ball(radius(cavity) + wall) - cavity;
const radius = (ml: number): number => Math.cbrt((3e3 * ml) / (4 * Math.PI)); // [mm]
const ball = (mm: number): number => (4 * Math.PI * mm ** 3) / 3e3; // [mL]
const MUSCLE = { lv: shell(REST.volume.lv, REST.wall.lv), rv: shell(REST.volume.rv, REST.wall.rv) };
const smooth = (x: number): number => { const u = Math.min(1, Math.max(0, x)); return u * u * (3 - 2 * u); };
const up = (x: number, rise: number): number => Math.min(smooth(x / rise), smooth((1 - x) / rise));

/** When ejection begins and ends, and when filling begins [1 of the beat]. */
export function timing(rate: number): { open: number; shut: number; fill: number } {
  const seconds = 60 / rate, open = Math.min(0.131 - 4e-4 * rate, 0.3 * seconds) / seconds;
  const ejection = Math.max(0.12, 0.4155 - 1.65e-3 * rate) / seconds;
  const shut = Math.min(0.65, open + ejection);
  return { open, shut, fill: shut + Math.min(ISOVOLUMETRIC / seconds, 0.3 * (1 - shut)) };
}

/** Share of the stroke that is out of a ventricle. */
function emptied(phase: number, { open, shut, fill }: ReturnType<typeof timing>): number {
  if (phase < open) return 0;
  if (phase < shut) return smooth((phase - open) / (shut - open));
  if (phase < fill) return 1;
  const x = (phase - fill) / (1 - fill);
  return 1 - EARLY * smooth(x / 0.5) - (1 - EARLY) * smooth((x - 0.75) / 0.25);
}

/**
 * Sets a frame to a phase of a beat, 0 at R. `size` is the left ventricle's end-diastolic volume [mL] to which all
 * futures are drawn, so that one that grows is seen to grow. Allocates nothing but the timing.
 */
export function beatAt(into: HeartFrame, beat: Beat, phase: number, size: number): void {
  const when = timing(beat.rate), out = emptied(phase, when), scale = size / REST.volume.lv, { volume, endDiastole: end, wall, opening } = into;
  end.lv = size; end.rv = beat.rv.diastolic; end.la = REST.volume.la * scale; end.ra = REST.volume.ra * scale;
  fill(volume, "lv", beat.lv, out); fill(volume, "rv", beat.rv, out);
  volume.la = end.la + RESERVOIR * (beat.lv.diastolic - volume.lv); volume.ra = end.ra + RESERVOIR * (beat.rv.diastolic - volume.rv);
  wall.lv = Math.cbrt(radius(volume.lv) ** 3 + (3e3 * MUSCLE.lv * scale) / (4 * Math.PI)) - radius(volume.lv);
  wall.rv = Math.cbrt(radius(volume.rv) ** 3 + (3e3 * MUSCLE.rv * scale) / (4 * Math.PI)) - radius(volume.rv);
  const ejecting = (phase - when.open) / (when.shut - when.open), filling = (phase - when.fill) / (1 - when.fill);
  opening.aortic = opening.pulmonary = ejecting > 0 && ejecting < 1 ? up(ejecting, 0.15) : 0;
  opening.mitral = opening.tricuspid = filling > 0 && filling < 1 ? Math.max(up(filling / 0.55, 0.2), 0.35 * up(filling, 0.1), 0.8 * up((filling - 0.7) / 0.3, 0.3)) : 0;
  into.phase = phase;
}

function fill(volume: ByChamber, name: "lv" | "rv", v: Ventricle, out: number): void {
  volume[name] = v.diastolic - (v.diastolic - v.systolic) * out;
}
