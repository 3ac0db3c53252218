/** A heart for each future: one scene and one WebGL context, drawn in turn and copied to each column's canvas. */
import { createHeart, type Heart, type HeartFrame } from "../heart/heart";
import { restingFrame } from "../heart/frame";
import { make } from "../page";
import type { Frames } from "./api";
import { type Beat, beatAt } from "./beat";
import { rounded } from "./figures";
import { badge, colourOf } from "./mark";

const BETWEEN = 15; // [ms] between two pictures: the futures take turns, so that three cost no more than one
const WIDE = 300, HIGH = 200; // [px] of a picture

const whole = (value: number): string => rounded(value, 0);

interface Future { canvas: HTMLCanvasElement; pen: CanvasRenderingContext2D; told: HTMLElement; beats: (Beat | null)[]; frame: HeartFrame; phase: number; drawn: number }

/** Of each frame: medians over the members; null where none lives. */
export function beatsOf(frames: Frames, option: number): (Beat | null)[] {
  const of = (name: string): (number | null)[] => frames.measures[name]?.bands[option]?.median ?? [];
  const rate = of("heart_rate"), volumes = ["left_ventricular_end_diastolic", "left_ventricular_end_systolic", "right_ventricular_end_diastolic", "right_ventricular_end_systolic"].map((n) => of(`${n}_volume`));
  return frames.times.map((_, i) => {
    const [r, a, b, c, d] = [rate[i], ...volumes.map((v) => v[i])];
    return r && a && b && c && d ? { rate: r, lv: { diastolic: a, systolic: b }, rv: { diastolic: c, systolic: d } } : null;
  });
}

export class Hearts {
  private readonly stage = make("div", "heart-stage");
  private readonly still = matchMedia("(prefers-reduced-motion: reduce)");
  private heart: Heart | null = null;
  private source: HTMLCanvasElement | null = null;
  private futures: Future[] = [];
  private index = 0;
  private size = 120;
  private before = 0;
  private turn = 0;
  private running = false;
  private dead = "";
  private pictured = "";

  constructor(private readonly root: HTMLElement) {
    this.stage.setAttribute("aria-hidden", "true");
    this.stage.style.width = `${WIDE}px`; this.stage.style.height = `${HIGH}px`;
    addEventListener("hashchange", () => this.start());
    this.still.addEventListener("change", () => this.start());
  }

  /** What was drawn last, for tests: draw calls and time of one heart. */
  get stats(): { drawCalls: number; jsMs: number } { return this.heart?.stats() ?? { drawCalls: 0, jsMs: 0 }; }

  /** Puts a heart into each box, before what else stands there. */
  show(frames: Frames, boxes: HTMLElement[]): void {
    this.futures = boxes.map((box, i) => {
      const figure = make("figure", "future"), canvas = make("canvas"), told = make("figcaption");
      canvas.width = WIDE; canvas.height = HIGH;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Simulated heart of ${frames.options[i] ?? ""}`);
      figure.style.borderColor = colourOf(i);
      figure.append(canvas, badge(i), told);
      box.prepend(figure);
      return { canvas, pen: canvas.getContext("2d", { alpha: false })!, told, beats: beatsOf(frames, i), frame: restingFrame(), phase: 0, drawn: 0 };
    });
    this.size = this.futures[0]?.beats.find((b) => b)?.lv.diastolic ?? 120;
    this.begin();
  }

  clear(): void { this.futures = []; }

  at(index: number): void {
    this.index = index;
    for (const f of this.futures) {
      const b = f.beats[index];
      f.told.textContent = b ? `${this.pictured}${whole(b.rate)}/min · LV ${whole(b.lv.diastolic)} to ${whole(b.lv.systolic)} mL · RV ${whole(b.rv.diastolic)} to ${whole(b.rv.systolic)} mL` : "No member is alive here.";
    }
    this.start();
  }

  private begin(): void {
    if (this.heart || this.dead) return;
    this.source = make("canvas");
    this.stage.append(this.source);
    document.body.append(this.stage);
    try { this.heart = createHeart(this.source); } catch (error) { this.dead = `No picture: this browser draws no 3-D (${String(error)}).`; this.stage.remove(); return; }
    void this.picture();
  }

  /** Where there are pictures of the patient, the futures are of their own ventricles, as at the bedside. */
  private async picture(): Promise<void> {
    const { fetchScan } = await import("../heart/scan"), scan = await fetchScan();
    if (!scan || !this.heart) return;
    this.heart.picture(scan);
    this.pictured = `Ventricles from images of ${scan.date || "a day not told"}, as near as they come to each future's volumes · `;
    this.at(this.index);
  }

  private start(): void {
    if (this.running || !this.futures.length) return;
    this.running = true;
    requestAnimationFrame((now) => this.tick(now));
  }

  private tick(now: number): void {
    if (this.root.hidden || !this.futures.length || !this.heart) { this.running = false; return; }
    if (this.still.matches) {
      for (const f of this.futures) this.draw(f, now);
      this.running = false;
      return;
    }
    if (now - this.before >= BETWEEN) {
      this.before = now;
      this.turn = (this.turn + 1) % this.futures.length;
      this.draw(this.futures[this.turn]!, now);
    }
    requestAnimationFrame((t) => this.tick(t));
  }

  private draw(f: Future, now: number): void {
    const seconds = Math.min(0.3, (now - f.drawn) / 1e3);
    f.drawn = now;
    const beat = f.beats[this.index] ?? f.beats.findLast((b, i) => b && i < this.index);
    f.frame.stale = !f.beats[this.index];
    f.phase = this.still.matches || f.frame.stale ? 0 : (f.phase + (seconds * (beat?.rate ?? 0)) / 60) % 1;
    if (beat) beatAt(f.frame, beat, f.phase, this.size);
    this.heart!.show(f.frame);
    f.pen.drawImage(this.source!, 0, 0, f.canvas.width, f.canvas.height);
  }
}
