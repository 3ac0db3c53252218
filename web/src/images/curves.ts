/** Volumes of both ventricles over the beat, with the left one's interval, and where in the beat the pictures stand. */
import { penOf } from "../page";
import type { Found } from "./api";
import { INK } from "./picture";

const LEFT = 34, BOTTOM = 18, TOP = 8, RIGHT = 6; // px about the plot

export function curves(canvas: HTMLCanvasElement, heart: Found | null, share: number): void {
  const made = penOf(canvas);
  canvas.setAttribute("aria-label", heart ? `Volumes over the beat: left ventricle ${Math.min(...heart.left_ml).toFixed(0)} to ${Math.max(...heart.left_ml).toFixed(0)} mL, right ${Math.min(...heart.right_ml).toFixed(0)} to ${Math.max(...heart.right_ml).toFixed(0)} mL` : "No volumes");
  if (!made || !heart) return;
  const { pen, w, h } = made, most = 20 * Math.ceil((Math.max(...heart.left_ml, ...heart.right_ml) + heart.half_width_ml) / 20);
  const x = (t: number): number => LEFT + t * (w - LEFT - RIGHT), y = (v: number): number => TOP + (1 - v / most) * (h - TOP - BOTTOM);
  pen.font = "12px system-ui, sans-serif"; pen.fillStyle = "#a9b6c3"; pen.strokeStyle = "#26313d"; pen.textAlign = "right"; pen.textBaseline = "middle";
  const step = most > 150 ? 50 : 20;
  for (let v = 0; v <= most; v += step) { pen.beginPath(); pen.moveTo(LEFT, y(v)); pen.lineTo(w - RIGHT, y(v)); pen.stroke(); pen.fillText(String(v), LEFT - 6, y(v)); }
  pen.textAlign = "center"; pen.textBaseline = "bottom";
  pen.fillText("share of the beat, mL", x(0.5), h);
  const line = (values: readonly number[], off = 0): void => heart.phases.forEach((t, n) => (n ? pen.lineTo(x(t), y(values[n]! + off)) : pen.moveTo(x(t), y(values[n]! + off))));
  pen.beginPath(); line(heart.left_ml, heart.half_width_ml);
  for (let n = heart.phases.length - 1; n >= 0; n--) pen.lineTo(x(heart.phases[n]!), y(heart.left_ml[n]! - heart.half_width_ml));
  pen.fillStyle = `${INK.left.colour}26`; pen.fill();
  for (const [values, ink] of [[heart.left_ml, INK.left], [heart.right_ml, INK.right]] as const) { pen.beginPath(); line(values); pen.setLineDash(ink.dash); pen.strokeStyle = ink.colour; pen.lineWidth = 2; pen.stroke(); }
  pen.setLineDash([]); pen.beginPath(); pen.moveTo(x(share), TOP); pen.lineTo(x(share), h - BOTTOM); pen.strokeStyle = "#e8eef4"; pen.lineWidth = 1; pen.stroke();
}
