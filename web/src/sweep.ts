/** One trace, drawn like a monitor: a pen runs left to right and erases what is a sweep old. */
import type { BeatRow, Channel } from "./messages";
import { COLOURS, mark } from "./marks";
import { penOf } from "./page";
import { Ring } from "./ring";
import { seconds } from "./words";
import { type Range, steady, ticks } from "./scale";

const GAP = 0.5; // [s] without a sample that is said
export const MM = 5; // px of the page that stand for one millimetre of paper

export interface Look { gain: number; speed: number }
/** Height of a strip that a trace fills, and what is left under it [px]. */
const room = (h: number): number => Math.max(h - 44, h * 0.55), foot = (h: number): number => Math.min(12, h * 0.12);
interface Shown { sample: number; row: BeatRow }

export class Sweep {
  private readonly canvas: HTMLCanvasElement;
  private readonly ring: Ring;
  private beats: Shown[] = [];
  private middle = 0;
  private shown: Range | null = null;

  constructor(
    readonly box: HTMLElement, readonly channel: Channel, private readonly hz: number,
    private readonly lead: boolean,
  ) {
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${channel.name}, live waveform`);
    box.append(this.canvas);
    this.ring = new Ring(Math.ceil(hz * 90));
  }

  clear(): void { this.ring.clear(); this.beats = []; this.shown = null; }

  push(first: number, data: (number | null)[]): void {
    this.ring.push(first, data, this.channel.counts);
  }

  mark(row: BeatRow): void {
    this.beats.push({ sample: row[0], row });
    if (this.beats.length > 200) this.beats.shift();
  }

  seconds(look: Look): number { return this.canvas.clientWidth / (look.speed * MM); }

  /** Draws the trace as it was `until` [s] on the axis of the samples. */
  draw(look: Look, until: number): void {
    const sheet = penOf(this.canvas);
    if (!sheet) return;
    const { pen, w, h } = sheet, newest = Math.min(this.ring.newest, Math.floor(until * this.hz));
    if (this.channel.variable === "ecg") grid(pen, w, h);
    if (newest >= 0) this.trace(pen, w, h, look, newest);
  }

  private range(first: number, newest: number): void {
    let low = Infinity, high = -Infinity, sum = 0, n = 0;
    for (let s = first; s <= newest; s++) {
      const v = this.ring.at(s);
      if (v !== v) continue;
      low = Math.min(low, v); high = Math.max(high, v); sum += v; n++;
    }
    if (n === 0) return;
    this.shown = steady(this.shown, low, high); this.middle = sum / n;
  }

  private y(v: number, h: number, look: Look): number {
    if (this.channel.variable === "ecg") return h * 0.6 - (v - this.middle) * look.gain * MM;
    const r = this.shown;
    return r ? h - foot(h) - ((v - r.low) / (r.high - r.low)) * room(h) : h / 2;
  }

  private trace(pen: CanvasRenderingContext2D, w: number, h: number, look: Look, newest: number): void {
    const speed = look.speed * MM, span = Math.floor((w / speed) * this.hz), gap = Math.ceil(0.3 * this.hz);
    const first = Math.max(this.ring.oldest, newest - span + gap, 0);
    this.range(first, newest);
    this.gaps(pen, h, first, newest, span, speed);
    pen.strokeStyle = COLOURS[this.channel.variable] ?? "#c5d0da";
    pen.lineWidth = 1.8; pen.lineJoin = "round";
    pen.beginPath();
    let up = true, before = -1;
    for (let s = first; s <= newest; s++) {
      const v = this.ring.at(s), x = ((s % span) / this.hz) * speed;
      if (v !== v || x < before) up = true;
      if (v === v) {
        const y = this.y(v, h, look);
        if (up) pen.moveTo(x, y); else pen.lineTo(x, y);
        up = false;
      }
      before = x;
    }
    pen.stroke();
    if (this.channel.unit && this.channel.variable !== "ecg" && this.shown) this.axis(pen, w, h, look, this.shown);
    const head = this.ring.at(newest);
    if (head === head) {
      pen.fillStyle = "#fff"; pen.beginPath();
      pen.arc(((newest % span) / this.hz) * speed, this.y(head, h, look), 2.6, 0, 7); pen.fill();
    }
    if (this.lead) for (const b of this.beats) if (b.sample >= first && b.sample <= newest) this.flag(pen, ((b.sample % span) / this.hz) * speed, h, b.row);
  }

  /** Where nothing came for long, the paper is hatched: a line through it would be invented. */
  private gaps(pen: CanvasRenderingContext2D, h: number, first: number, newest: number, span: number, speed: number): void {
    let longest = 0;
    for (let s = first, from = first; s <= newest + 1; s++) {
      const v = s > newest ? 0 : this.ring.at(s);
      if (v !== v) continue;
      if (s - from >= GAP * this.hz) {
        longest = Math.max(longest, (s - from) / this.hz);
        for (let a = from; a < s;) { // a sweep that ends within it goes on at the left
          const b = Math.min(s, (Math.floor(a / span) + 1) * span);
          hatch(pen, ((a % span) / this.hz) * speed, ((b - a) / this.hz) * speed, h);
          a = b;
        }
      }
      from = s + 1;
    }
    const said = `${this.channel.name}, live waveform${longest ? `, without data for ${seconds(longest)}` : ""}`;
    if (this.canvas.getAttribute("aria-label") !== said) this.canvas.setAttribute("aria-label", said);
  }

  private axis(pen: CanvasRenderingContext2D, w: number, h: number, look: Look, r: Range): void {
    pen.font = "12px system-ui, sans-serif"; pen.textAlign = "right"; pen.textBaseline = "middle";
    pen.strokeStyle = "#202d37"; pen.fillStyle = "#a9b6c3"; pen.lineWidth = 1;
    for (const v of ticks(r, Math.floor(room(h) / 18) + 1)) {
      const y = Math.round(this.y(v, h, look)) + 0.5;
      pen.globalCompositeOperation = "destination-over"; // behind the trace
      pen.beginPath(); pen.moveTo(0, y); pen.lineTo(w - 34, y); pen.stroke();
      pen.globalCompositeOperation = "source-over";
      pen.clearRect(w - 34, y - 8, 34, 16);
      pen.fillText(String(v), w - 6, y);
    }
    pen.textBaseline = "alphabetic";
  }

  private flag(pen: CanvasRenderingContext2D, x: number, h: number, row: BeatRow): void {
    const y = h < 130 ? h - 24 : 38; // under the trace where the strip is low
    mark(pen, x, y, row[1], 4);
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.fillText(row[1], x, y + 20);
  }
}

function hatch(pen: CanvasRenderingContext2D, x: number, wide: number, h: number): void {
  pen.save();
  pen.beginPath(); pen.rect(x, 0, wide, h); pen.clip();
  pen.strokeStyle = "#ffd64a55"; pen.lineWidth = 2; pen.beginPath();
  for (let at = x - h; at < x + wide; at += 12) { pen.moveTo(at, h); pen.lineTo(at + h, 0); }
  pen.stroke();
  pen.restore();
  if (wide < 56) return;
  pen.font = "600 12px system-ui, sans-serif"; pen.textAlign = "center"; pen.fillStyle = "#ffd64a";
  pen.fillText("no data", x + wide / 2, h - 10);
}

function grid(pen: CanvasRenderingContext2D, w: number, h: number): void {
  for (const [step, colour] of [[MM, "#151e26"], [MM * 5, "#202d37"]] as const) {
    pen.strokeStyle = colour; pen.lineWidth = 1; pen.beginPath();
    for (let x = 0.5; x < w; x += step) { pen.moveTo(x, 0); pen.lineTo(x, h); }
    for (let y = 0.5; y < h; y += step) { pen.moveTo(0, y); pen.lineTo(w, y); }
    pen.stroke();
  }
}
