/** Pressure against volume of the left ventricle: loops of some members behind that of the median. */
import type { CycleMessage } from "../messages";
import { penOf } from "../page";
import { TWIN } from "../marks";

const AXIS = "#a9b6c3", GRID = "#26313d", LEFT = 38, BOTTOM = 20, TOP = 8, RIGHT = 12;

/** Ticks of a round step that leave `each` px for their figures. */
export function steps(low: number, high: number, room: number, each: number): number[] {
  const step = [5, 10, 20, 25, 50, 100, 200].find((s) => ((high - low) / s) * each <= room) ?? 500, first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** `phase` of the heart, 0 to 1: where it is on the loop now; null where it is not known. */
export function drawLoop(canvas: HTMLCanvasElement, c: CycleMessage, phase: number | null): void {
  const sheet = penOf(canvas);
  if (!sheet) return;
  const { pen, w, h } = sheet, lv = c.chambers.lv, all: [readonly number[], readonly number[]][] = [...c.loops, [lv.volume.value, lv.pressure.value]];
  const most = (axis: 0 | 1): number => Math.max(...all.map((l) => Math.max(...l[axis]))) * 1.06;
  const least = Math.min(...all.map((l) => Math.min(...l[0]))), v0 = Math.max(0, least - 0.25 * (most(0) - least));
  const v = most(0), p = most(1), x = (ml: number): number => LEFT + ((ml - v0) / (v - v0)) * (w - LEFT - RIGHT), y = (mmhg: number): number => h - BOTTOM - (mmhg / p) * (h - BOTTOM - TOP);
  pen.font = "12px system-ui, sans-serif"; pen.fillStyle = AXIS; pen.strokeStyle = GRID; pen.lineWidth = 1;
  pen.textAlign = "right"; pen.textBaseline = "middle";
  for (const t of steps(0, p, h - BOTTOM - TOP, 22)) { pen.beginPath(); pen.moveTo(LEFT, y(t)); pen.lineTo(w - RIGHT, y(t)); pen.stroke(); pen.fillText(String(t), LEFT - 6, y(t)); }
  pen.textAlign = "center"; pen.textBaseline = "top";
  for (const t of steps(v0, v, w - LEFT - RIGHT, 40)) pen.fillText(String(t), x(t), h - BOTTOM + 4);
  const trace = ([volume, pressure]: [readonly number[], readonly number[]]): void => {
    pen.beginPath(); volume.forEach((ml, i) => pen.lineTo(x(ml), y(pressure[i] ?? 0))); pen.closePath();
  };
  pen.lineJoin = "round"; pen.strokeStyle = TWIN; pen.globalAlpha = 0.28; pen.lineWidth = 3;
  for (const loop of c.loops) { trace(loop); pen.stroke(); }
  pen.globalAlpha = 1; pen.lineWidth = 2;
  trace([lv.volume.value, lv.pressure.value]); pen.stroke();
  if (phase === null) return;
  const i = Math.floor(phase * lv.volume.value.length) % lv.volume.value.length;
  pen.fillStyle = "#fff"; pen.beginPath(); pen.arc(x(lv.volume.value[i]!), y(lv.pressure.value[i]!), 4, 0, 7); pen.fill();
}
