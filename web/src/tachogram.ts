/** RR intervals of the last minute, one point a beat. */
import type { Kind } from "./messages";
import { mark } from "./marks";

const SPAN = 60; // s
interface Point { at: number; rr: number; kind: Kind }

export class Tachogram {
  private points: Point[] = [];
  constructor(private readonly canvas: HTMLCanvasElement) {}

  clear(): void { this.points = []; }
  push(at: number, rr: number, kind: Kind): void {
    if (rr > 0) this.points.push({ at, rr: rr * 1000, kind });
    this.points = this.points.filter((p) => p.at > at - 2 * SPAN);
  }

  draw(now: number): void {
    const { canvas } = this, ratio = window.devicePixelRatio || 1;
    const w = canvas.clientWidth, h = canvas.clientHeight, pen = canvas.getContext("2d");
    if (!pen || w === 0) return;
    canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const shown = this.points.filter((p) => p.at > now - SPAN);
    const low = Math.floor((Math.min(600, ...shown.map((p) => p.rr)) - 50) / 200) * 200;
    const high = Math.ceil((Math.max(1000, ...shown.map((p) => p.rr)) + 50) / 200) * 200;
    const left = 40, bottom = h - 20;
    const x = (at: number): number => left + ((at - now + SPAN) / SPAN) * (w - left - 10);
    const y = (rr: number): number => bottom - ((rr - low) / (high - low)) * (bottom - 10);
    axes(pen, { low, high, left, right: w - 10, bottom }, x, y, now);
    pen.strokeStyle = "#3f5a4a"; pen.lineWidth = 1; pen.beginPath();
    shown.forEach((p, i) => { if (i) pen.lineTo(x(p.at), y(p.rr)); else pen.moveTo(x(p.at), y(p.rr)); });
    pen.stroke();
    for (const p of shown) mark(pen, x(p.at), y(p.rr), p.kind, 2.6);
  }
}

interface Frame { low: number; high: number; left: number; right: number; bottom: number }

function axes(
  pen: CanvasRenderingContext2D, f: Frame, x: (at: number) => number, y: (rr: number) => number, now: number,
): void {
  pen.clearRect(0, 0, f.right + 20, f.bottom + 30);
  pen.font = "12px system-ui, sans-serif"; pen.fillStyle = "#a9b6c3"; pen.strokeStyle = "#222d38"; pen.lineWidth = 1;
  pen.textAlign = "right"; pen.textBaseline = "middle";
  const step = f.high - f.low > 1000 ? 400 : 200;
  for (let v = f.low; v <= f.high; v += step) {
    const at = Math.round(y(v)) + 0.5;
    pen.beginPath(); pen.moveTo(f.left, at); pen.lineTo(f.right, at); pen.stroke();
    pen.fillText(String(v), f.left - 6, Math.max(at, 7));
  }
  pen.textBaseline = "alphabetic";
  for (const back of [60, 45, 30, 15, 0]) {
    pen.textAlign = back === 0 ? "right" : back === 60 ? "left" : "center";
    pen.fillText(back ? `−${back} s` : "now", x(now - back), f.bottom + 16);
  }
}
