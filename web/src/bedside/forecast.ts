/** What is expected over the next half hour if nothing is done: a band for each number. */
import { TWIN } from "../marks";
import type { Band, Forecast } from "../messages";
import { byId, make, penOf } from "../page";
import { figures, unit } from "../words";

const SHOWN: [string, string, number][] = [["mean_arterial_pressure", "MAP", 20], ["heart_rate", "HR", 20], ["cardiac_output", "CO", 2], ["oxygen_saturation", "SpO₂", 6]]; // least span of the axis

export function showForecast(f: Forecast): void {
  const list = byId("forecasts");
  SHOWN.filter(([name]) => f.outputs[name]).forEach(([name, label, span], i) => {
    const box = (list.children[i] as HTMLElement | undefined) ?? list.appendChild(make("figure", "ahead"));
    if (!box.firstChild) box.append(make("figcaption"), make("canvas"));
    const { value, low, high } = f.outputs[name]!, end = value.length - 1, words = `${figures(value[end]!)} ${unit(f.units[name] ?? "")}`;
    const caption = box.querySelector("figcaption")!, canvas = box.querySelector("canvas")!;
    caption.replaceChildren(make("b", "", label), ` ${words} `, make("span", "soft", `${figures(low[end]!)}–${figures(high[end]!)}`));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${label} in ${f.minutes[end]} min: ${words}, 90 % interval ${figures(low[end]!)} to ${figures(high[end]!)}`);
    drawBand(canvas, f.minutes, f.outputs[name]!, span);
  });
}

/** What was read, over the band: dots of `colour` at minutes. */
export interface Dots { at: number[]; read: number[]; colour: string }

/** A band over minutes: what the twin says, dashed and shaded; an axis of at least `span`; what was read over it. */
export function drawBand(canvas: HTMLCanvasElement, minutes: number[], of: Band, span: number, dots: Dots = { at: [], read: [], colour: "" }): void {
  const sheet = penOf(canvas);
  if (!sheet) return;
  const { pen, w, h } = sheet, low = Math.min(...of.low, ...dots.read), high = Math.max(...of.high, ...dots.read), middle = (low + high) / 2, half = Math.max(span, (high - low) * 1.2) / 2;
  const last = minutes[minutes.length - 1] || 1, x = (m: number): number => 2 + (m / last) * (w - 36), y = (v: number): number => 3 + ((middle + half - v) / (2 * half)) * (h - 6);
  pen.fillStyle = TWIN; pen.globalAlpha = 0.25; pen.beginPath();
  of.low.forEach((v, i) => pen.lineTo(x(minutes[i]!), y(v)));
  for (let i = minutes.length - 1; i >= 0; i--) pen.lineTo(x(minutes[i]!), y(of.high[i]!));
  pen.fill();
  pen.globalAlpha = 1; pen.strokeStyle = TWIN; pen.lineWidth = 1.8; pen.setLineDash([5, 3]); pen.beginPath();
  of.value.forEach((v, i) => pen.lineTo(x(minutes[i]!), y(v)));
  pen.stroke(); pen.setLineDash([]);
  pen.fillStyle = dots.colour;
  dots.at.forEach((m, i) => { pen.beginPath(); pen.arc(x(m), y(dots.read[i]!), 1.6, 0, 7); pen.fill(); });
  pen.fillStyle = "#a9b6c3"; pen.font = "12px system-ui, sans-serif"; pen.textAlign = "right";
  pen.textBaseline = "top"; pen.fillText(figures(middle + half), w - 1, 1);
  pen.textBaseline = "bottom"; pen.fillText(figures(middle - half), w - 1, h - 1);
}
