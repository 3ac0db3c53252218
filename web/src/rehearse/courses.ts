/** The future of each option: median and 90 % band of the measures chosen, on one axis of time and value. */
import { make, penOf } from "../page";
import type { Course, Frames } from "./api";
import { clock, percent, rounded } from "./figures";
import { colourOf, letterOf } from "./mark";

/** `least`: the shortest axis, so that what hardly moves looks so; `decimals`: as many as are known. */
interface Measure { name: string; label: string; whole: string; least: number; decimals: number }
const SHOWN: Measure[] = [
  { name: "mean_arterial_pressure", label: "MAP", whole: "mean arterial pressure", least: 20, decimals: 0 },
  { name: "heart_rate", label: "HR", whole: "heart rate", least: 20, decimals: 0 },
  { name: "cardiac_output", label: "CO", whole: "cardiac output", least: 2, decimals: 1 },
  { name: "oxygen_saturation", label: "SpO₂", whole: "oxygen saturation", least: 6, decimals: 0 },
  { name: "left_atrial_pressure", label: "LAP", whole: "left atrial pressure", least: 6, decimals: 0 },
  { name: "central_venous_pressure", label: "CVP", whole: "central venous pressure", least: 6, decimals: 0 },
];

interface Chart { figure: HTMLElement; measure: Measure; option: number; spans: [number, number, number][]; canvas: HTMLCanvasElement; value: HTMLElement; course: Course; low: number; high: number }

/** Charts of every option, in the order of the columns; `at` moves all their marks. */
export class Courses {
  private readonly charts: Chart[] = [];
  private index = 0;

  constructor(readonly frames: Frames, boxes: HTMLElement[], private readonly shown: Set<string>) {
    this.index = frames.times.length - 1;
    for (const one of SHOWN) {
      const { name, label, least } = one, measure = frames.measures[name];
      if (!measure) continue;
      const known = measure.bands.flatMap((b) => [...b.low, ...b.high]).filter((v) => v !== null);
      const middle = (Math.min(...known) + Math.max(...known)) / 2, half = Math.max(least, (Math.max(...known) - Math.min(...known)) * 1.1) / 2;
      measure.bands.forEach((course, i) => {
        const figure = make("figure", "course"), caption = make("figcaption"), value = make("b"), canvas = make("canvas");
        caption.append(make("span", "", label), value, make("span", "unit", measure.unit));
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `${label} of ${frames.options[i] ?? ""} over ${clock(frames.times.at(-1))}: median and 90 % band, simulated`);
        figure.append(caption, canvas);
        boxes[i]?.append(figure);
        figure.hidden = !shown.has(label);
        const spans = (frames.beyond[i] ?? []).filter((b) => b.measure === name).flatMap((b) => b.spans);
        this.charts.push({ figure, measure: one, option: i, spans, canvas, value, course, low: middle - half, high: middle + half });
      });
    }
  }

  /** A box for each measure; which are shown is kept by the room. */
  chooser(): HTMLElement {
    const box = make("fieldset", "chooser");
    box.append(make("legend", "", "Courses"));
    for (const { label, whole } of new Set(this.charts.map((c) => c.measure))) {
      const name = make("label", "", label), tick = make("input");
      tick.type = "checkbox"; tick.checked = this.shown.has(label);
      tick.setAttribute("aria-label", `${whole} (${label})`);
      tick.addEventListener("change", () => {
        if (tick.checked) this.shown.add(label); else this.shown.delete(label);
        for (const c of this.charts) c.figure.hidden = !this.shown.has(c.measure.label);
        this.draw();
      });
      name.prepend(tick);
      box.append(name);
    }
    return box;
  }

  at(index: number): void {
    this.index = index;
    for (const c of this.charts) {
      const { low, median, high } = c.course;
      const [a, m, b] = [low, median, high].map((course) => rounded(course[index], c.measure.decimals));
      c.value.textContent = m === "—" ? "—" : `${m} (${a} to ${b})`;
    }
    this.draw();
  }

  draw(): void {
    const last = this.frames.times.length - 1, look = getComputedStyle(document.documentElement);
    for (const c of this.charts) {
      const got = penOf(c.canvas);
      if (!got) continue;
      const { pen, w, h } = got, colour = colourOf(c.option);
      const x = (i: number): number => (last ? (i / last) * w : 0), y = (v: number): number => h - ((v - c.low) / (c.high - c.low)) * h;
      const span = this.frames.times.at(-1) ?? 1;
      pen.fillStyle = look.getPropertyValue("--medium").trim(); pen.globalAlpha = 0.28;
      for (const [from, to] of c.spans) pen.fillRect((from / span) * w, 0, Math.max(2, ((to - from) / span) * w), h);
      pen.fillStyle = colour; pen.strokeStyle = colour;
      pen.globalAlpha = 0.22; pen.beginPath();
      const living = c.course.low.flatMap((v, i) => (v === null ? [] : [i]));
      for (const i of living) pen.lineTo(x(i), y(c.course.low[i] ?? 0));
      for (const i of [...living].reverse()) pen.lineTo(x(i), y(c.course.high[i] ?? 0));
      pen.fill();
      pen.globalAlpha = 1; pen.lineWidth = 1.8; pen.beginPath();
      for (const i of living) pen.lineTo(x(i), y(c.course.median[i] ?? 0));
      pen.stroke();
      const end = living.at(-1) ?? 0;
      pen.font = "bold 11px system-ui, sans-serif";
      pen.fillText(letterOf(c.option), Math.min(x(end) + 3, w - 12), Math.max(11, y(c.course.median[end] ?? 0) - 4));
      pen.fillStyle = look.getPropertyValue("--text").trim(); pen.fillRect(Math.min(x(this.index), w - 1), 0, 1, h);
      pen.fillStyle = look.getPropertyValue("--soft").trim(); pen.font = "11px system-ui, sans-serif";
      pen.fillText(rounded(c.high, c.measure.decimals), 3, 10); pen.fillText(rounded(c.low, c.measure.decimals), 3, h - 3);
    }
  }
}

/** Complications on the axis of time of the courses: when members of an option are beyond a level. */
export function beyondLanes(frames: Frames, option: number): HTMLElement {
  const list = make("ul", "beyond"), last = frames.times.at(-1) ?? 1, found = frames.beyond[option] ?? [];
  for (const { name, spans } of found) {
    const item = make("li"), lane = make("span", "lane"), most = Math.max(...spans.map((s) => s[2]));
    for (const [from, to] of spans) {
      const bar = make("i");
      bar.style.left = `${(100 * from) / last}%`; bar.style.width = `${Math.max(1, (100 * (to - from)) / last)}%`;
      lane.append(bar);
    }
    item.append(make("span", "", `${name}, ${spans.map(([from, to]) => `${clock(from)} to ${clock(to)}`).join(" and ")}: up to ${percent(most)} % of members`), lane);
    list.append(item);
  }
  if (!found.length) list.append(make("li", "soft", "No member is beyond the level of a complication."));
  return list;
}
