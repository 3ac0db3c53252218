/** Colours of traces; shapes and colours of beat classes: never colour alone. */
import type { Kind } from "./messages";

export const COLOURS: Record<string, string> = {
  ecg: "#4cf08a", arterial_pressure: "#ff7b7b", plethysmogram: "#5ad7f2",
};
const BEATS: Record<Kind, string> = { N: "#4cf08a", S: "#5ad7f2", V: "#ffb347" };

export function mark(pen: CanvasRenderingContext2D, x: number, y: number, kind: Kind, r: number): void {
  pen.fillStyle = BEATS[kind];
  pen.beginPath();
  if (kind === "N") pen.arc(x, y, r, 0, 7);
  else if (kind === "V") pen.rect(x - r, y - r, 2 * r, 2 * r);
  else { pen.moveTo(x, y - r - 1); pen.lineTo(x + r + 1, y + r); pen.lineTo(x - r - 1, y + r); pen.closePath(); }
  pen.fill();
}

/** Of everything that the twin says: no sensor has it. */
export const TWIN = "#c9a8ff";
