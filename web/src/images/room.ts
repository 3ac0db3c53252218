/** The patient's pictures: one large, two that stand across it, all at one phase; a cursor that is the same place in all. */
import { make } from "../page";
import { correct, type Listed, listed, type Slice, slice, type Stack, STRUCTURES, undoCorrection } from "./api";
import { Correction, type Kept } from "./correct";
import { curves } from "./curves";
import { type Acts, INK, type Line, Picture, type Window } from "./picture";
import { alike, crossing, toIndex, type Vec3 } from "./place";
import "./room.css";

const BESIDE = 2; // pictures across the large one
const NARROW = 0.02; // of the range of values: no window is narrower
const SLOWEST = 3; // [s] a beat lasts where pictures do not say

export function mount(root: HTMLElement, stage: HTMLElement): void {
  const style = make("link");
  style.rel = "stylesheet"; style.href = "./images/room.css";
  document.head.append(style);
  new Room(root, stage);
}

class Room {
  private all: Listed = { stacks: [], heart: null, said: "", corrections: 0 };
  private readonly pictures: Picture[];
  private readonly shown: { stack: number; k: number }[] = [];
  private readonly windows = new Map<number, Window>();
  private readonly kept = new Map<string, Promise<Slice>>();
  private cursor: Vec3 | null = null;
  private phase = 0;
  private playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  private near = true;
  private before = 0;
  private readonly list = make("div", "stacks");
  private readonly fault = make("p", "fault");
  private readonly curve = make("canvas");
  private readonly figures = make("div");
  private readonly inputs: Record<"slice" | "phase" | "centre" | "width", HTMLInputElement>;
  private readonly play = make("button", "", "");
  private readonly correction = new Correction(() => this.large?.contours ?? null, () => this.phase, () => this.draw(), (k) => this.keep(k), () => this.refitted(undoCorrection()));
  private large: Slice | null = null;

  constructor(private readonly root: HTMLElement, stage: HTMLElement) {
    root.classList.add("images");
    this.pictures = ["Large picture", "Picture across it", "Second picture across it"].map((name, n) => new Picture(name, this.acts(n)));
    this.inputs = { slice: this.slider("Slice", 0, 0, (v) => this.slide(0, v - this.shown[0]!.k)), phase: this.slider("Phase", 0, 0, (v) => this.seek(v)), centre: this.slider("Level", 0, 1000, () => this.dial()), width: this.slider("Window", Math.round(1000 * NARROW), 1000, () => this.dial()) };
    this.fault.setAttribute("role", "status");
    this.curve.setAttribute("role", "img");
    this.curve.addEventListener("click", (e) => this.seek(Math.floor((e.offsetX / this.curve.clientWidth) * this.phases())));
    root.replaceChildren(this.left(), this.middle(), this.right(stage));
    const sized = new ResizeObserver(() => this.draw());
    for (const canvas of [...this.pictures.map((p) => p.canvas), this.curve]) sized.observe(canvas);
    void this.open();
  }

  private left(): HTMLElement {
    const side = make("section", "choose");
    side.setAttribute("aria-label", "Stacks and window");
    side.append(make("h2", "", "Pictures"), this.list, this.fault);
    return side;
  }

  private middle(): HTMLElement {
    const box = make("section", "large"), tools = make("div", "tools"), near = make("button", "", "Heart only"), auto = make("button", "", "Usual window");
    box.setAttribute("aria-label", "Large picture");
    this.play.type = near.type = auto.type = "button";
    this.play.addEventListener("click", () => this.toggle());
    near.setAttribute("aria-pressed", String(this.near));
    near.addEventListener("click", () => { this.near = !this.near; near.setAttribute("aria-pressed", String(this.near)); void this.load(); });
    auto.addEventListener("click", () => { this.windows.delete(this.shown[0]!.stack); this.told(); this.draw(); });
    tools.append(this.play, near, auto, ...Object.values(this.inputs).map((input) => input.parentElement!));
    box.append(this.pictures[0]!.box, tools, this.correction.box);
    this.told();
    return box;
  }

  private right(stage: HTMLElement): HTMLElement {
    const box = make("section", "beside"), volumes = make("div", "volumes"), key = make("ul", "ink");
    box.setAttribute("aria-label", "Pictures across, heart and volumes");
    box.tabIndex = 0;
    for (const name of STRUCTURES) {
      const line = make("li"), mark = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      mark.setAttribute("width", "28"); mark.setAttribute("height", "10"); mark.setAttribute("aria-hidden", "true");
      path.setAttribute("d", "M0 5H28"); path.setAttribute("stroke", INK[name].colour); path.setAttribute("stroke-width", "2.5"); path.setAttribute("stroke-dasharray", INK[name].dash.join(" "));
      mark.append(path); line.append(mark, INK[name].said); key.append(line);
    }
    volumes.append(make("h2", "", "Volumes over the beat"), this.curve);
    const said = make("div", "figures");
    said.append(key, this.figures);
    box.append(...this.pictures.slice(1).map((p) => p.box), stage, volumes, said);
    return box;
  }

  private acts(n: number): Acts {
    return {
      taken: (at, near) => n === 0 && this.correction.take(at, near), pulled: (to) => this.correction.pull(to), keyed: (key, far) => n === 0 && this.correction.key(key, far),
      picked: (at) => this.point(at, n), sliced: (by) => this.slide(n, by), turned: (by) => this.seek(this.phase + by), played: () => this.toggle(),
      windowed: (centre, width) => {
        const number = this.shown[n]!.stack, range = this.span(number), { low, high } = this.windowOf(number), wide = Math.max(NARROW * range, high - low + width * range), middle = (low + high) / 2 + centre * range;
        this.windows.set(number, { low: middle - wide / 2, high: middle + wide / 2 });
        this.told(); this.draw();
      },
    };
  }

  private slider(name: string, least: number, most: number, moved: (value: number) => void): HTMLInputElement {
    const label = make("label", "", `${name} `), input = make("input"), said = make("output");
    input.type = "range"; input.min = String(least); input.max = String(most); input.step = "1";
    input.addEventListener("input", () => moved(Number(input.value)));
    label.append(input, said);
    return input;
  }

  private async open(): Promise<void> {
    try { this.all = await listed(); } catch (fault) { this.say(fault); return; }
    const { stacks, heart, said } = this.all;
    this.fault.textContent = said;
    if (!stacks.length) { this.fault.textContent = said || "There are no pictures of this patient. Put a folder of DICOM or NIfTI files into the patient's folder."; return; }
    this.list.replaceChildren(...stacks.map((s, n) => this.entry(s, n)));
    this.figures.replaceChildren(...found(heart));
    const most = stacks.reduce((best, s, n) => (s.shape[2] > stacks[best]!.shape[2] ? n : best), 0);
    await this.choose(most);
    requestAnimationFrame((now) => this.frame(now));
  }

  private entry(s: Stack, n: number): HTMLElement {
    const button = make("button", "", s.name);
    button.type = "button";
    button.append(make("span", "small", `${s.shape[0]} × ${s.shape[1]}, ${s.shape[2]} ${s.shape[2] === 1 ? "slice" : "slices"}${s.phases.length > 1 ? `, ${s.phases.length} phases` : ""}`));
    button.addEventListener("click", () => void this.choose(n));
    return button;
  }

  /** Makes a stack the large picture, and shows beside it those that stand most across. */
  private async choose(n: number): Promise<void> {
    const { stacks } = this.all, here = stacks[n]!;
    const across = stacks.map((s, m) => ({ m, c: alike(s.affine_ras_mm, here.affine_ras_mm) })).filter(({ m, c }) => m !== n && c < 0.8).sort((a, b) => a.c - b.c).slice(0, BESIDE);
    this.shown.splice(0, this.shown.length, { stack: n, k: Math.floor(here.shape[2] / 2) }, ...across.map(({ m }) => ({ stack: m, k: Math.floor(stacks[m]!.shape[2] / 2) })));
    this.pictures.forEach((p, m) => { p.box.hidden = m >= this.shown.length; });
    [...this.list.children].forEach((b, m) => b.setAttribute("aria-pressed", String(m === n)));
    this.inputs.slice.max = String(here.shape[2] - 1); this.inputs.phase.max = String(here.phases.length - 1);
    this.phase = Math.min(this.phase, this.phases() - 1);
    if (this.cursor) this.follow(this.cursor, -1);
    await this.load();
  }

  private phases(): number { return this.all.stacks[this.shown[0]?.stack ?? 0]?.phases.length ?? 1; }
  private span(n: number): number { const [low, high] = this.all.stacks[n]!.range; return high - low || 1; }
  private windowOf(n: number): Window { const [low, high] = this.all.stacks[n]!.window; return this.windows.get(n) ?? { low, high }; }

  /** Slices are fetched as they are looked at; a neighbour is fetched ahead. */
  private fetched(stack: number, k: number): Promise<Slice> {
    const key = `${stack}/${k}`, found = this.kept.get(key) ?? slice(stack, k);
    this.kept.delete(key); this.kept.set(key, found); // the newest last
    found.catch(() => this.kept.delete(key));
    if (this.kept.size > 24) this.kept.delete(this.kept.keys().next().value!);
    return found;
  }

  private async load(): Promise<void> {
    const wanted = this.shown.map((s) => ({ ...s }));
    try {
      const found = await Promise.all(wanted.map(({ stack, k }) => this.fetched(stack, k)));
      if (wanted.some(({ stack, k }, n) => this.shown[n]?.stack !== stack || this.shown[n]?.k !== k)) return; // looked on meanwhile
      this.large = found[0] ?? null;
      wanted.forEach(({ stack, k }, n) => this.pictures[n]!.set(this.all.stacks[stack]!, k, found[n]!, this.near));
    } catch (fault) { this.say(fault); }
    this.told(); this.draw();
  }

  /** The heart is fitted again to what a reader drew; contours of every slice are other ones then. */
  private async keep({ structure, points, name, qualification }: Kept): Promise<void> {
    const { stack, k } = this.shown[0]!;
    await this.refitted(correct(stack, k, { phase: this.phase, structure, points, name, qualification }));
  }
  private async refitted(told: Promise<Listed>): Promise<void> {
    this.all = await told;
    this.kept.clear();
    this.figures.replaceChildren(...found(this.all.heart));
    await this.load();
  }

  private slide(n: number, by: number): void {
    const at = this.shown[n];
    if (!at || !by) return;
    if (n === 0) this.correction.end();
    at.k = Math.min(Math.max(at.k + by, 0), this.all.stacks[at.stack]!.shape[2] - 1);
    void this.load();
  }

  private point(at: Vec3, n: number): void { this.cursor = at; this.follow(at, n); void this.load(); }
  /** Every picture but `n` goes to the slice nearest to a place. */
  private follow(at: Vec3, n: number): void {
    this.shown.forEach((s, m) => {
      const { affine_ras_mm, shape } = this.all.stacks[s.stack]!;
      if (m !== n) s.k = Math.min(Math.max(Math.round(toIndex(affine_ras_mm, at)[2]), 0), shape[2] - 1);
    });
  }

  private seek(phase: number): void {
    this.playing = false;
    this.correction.end();
    const n = this.phases();
    this.phase = ((phase % n) + n) % n;
    this.told(); this.draw();
  }
  private toggle(): void { this.correction.end(); this.playing = !this.playing; this.before = 0; this.told(); }

  private dial(): void {
    const n = this.shown[0]!.stack, [least] = this.all.stacks[n]!.range, range = this.span(n), wide = (Number(this.inputs.width.value) / 1000) * range, middle = least + (Number(this.inputs.centre.value) / 1000) * range;
    this.windows.set(n, { low: middle - wide / 2, high: middle + wide / 2 });
    this.told(); this.draw();
  }

  private frame(now: number): void {
    requestAnimationFrame((next) => this.frame(next));
    if (this.root.hidden || !this.playing || this.phases() < 2) { this.before = 0; return; }
    const beat = this.all.stacks[this.shown[0]!.stack]!.cycle_s ?? SLOWEST, step = (1e3 * beat) / this.phases();
    if (!this.before) this.before = now;
    const steps = Math.floor((now - this.before) / step);
    if (steps < 1) return;
    this.before += steps * step;
    this.phase = (this.phase + steps) % this.phases();
    this.told(); this.draw();
  }

  /** Sliders and buttons say what is shown. */
  private told(): void {
    this.play.textContent = this.playing ? "Pause" : "Play";
    const at = this.shown[0], stack = at && this.all.stacks[at.stack];
    if (!at || !stack) return;
    const { low, high } = this.windowOf(at.stack), range = this.span(at.stack), unit = stack.unit === "1" ? "" : ` ${stack.unit}`;
    const say = (name: keyof Room["inputs"], value: number, words: string): void => {
      const input = this.inputs[name];
      input.value = String(value);
      if (input.getAttribute("aria-valuetext") !== words) { input.setAttribute("aria-valuetext", words); (input.nextElementSibling as HTMLElement).textContent = words; }
      input.disabled = Number(input.max) <= Number(input.min);
    };
    say("slice", at.k, `${at.k + 1} of ${stack.shape[2]}`);
    say("phase", this.phase, `${Math.round(100 * (stack.phases[this.phase] ?? 0))} % of the beat`);
    say("centre", Math.round((1000 * ((low + high) / 2 - stack.range[0])) / range), `${Math.round((low + high) / 2)}${unit}`);
    this.correction.offer(stack.corrected && !this.playing, this.all.corrections);
    say("width", Math.round((1000 * (high - low)) / range), `${Math.round(high - low)}${unit}`);
  }

  private draw(): void {
    const { stacks } = this.all, share = stacks[this.shown[0]?.stack ?? 0]?.phases[this.phase] ?? 0;
    this.shown.forEach(({ stack, k }, n) => {
      const s = stacks[stack]!, lines: Line[] = [];
      this.shown.forEach((other, m) => { const at = m === n ? null : crossing(stacks[other.stack]!, other.k, s, k); if (at) lines.push({ at, strong: m === 0 || n === 0 }); });
      const at = this.cursor && toIndex(s.affine_ras_mm, this.cursor), off = at ? Math.abs(at[2] - k) * s.spacing_mm[2] : 0;
      this.pictures[n]!.draw(nearest(s.phases, share), this.windowOf(stack), lines, at, `${s.name}, slice ${k + 1} of ${s.shape[2]}${at && off > 1 ? `; the cursor lies ${off.toFixed(0)} mm off` : ""}`, n === 0 ? this.correction.drawn : null);
    });
    curves(this.curve, this.all.heart, share);
  }

  private say(fault: unknown): void { this.fault.textContent = fault instanceof Error ? fault.message : String(fault); }
}

/** Of phases, the one nearest to a share of the beat, round the beat. */
function nearest(phases: readonly number[], share: number): number {
  const apart = phases.map((p) => { const d = Math.abs(p - share); return Math.min(d, 1 - d); });
  return apart.indexOf(Math.min(...apart));
}

/** Figures with what they rest on. */
function found(heart: Listed["heart"]): HTMLElement[] {
  if (!heart) return [make("p", "small", "No ventricle was found in these pictures.")];
  const high = Math.max(...heart.left_ml), low = Math.min(...heart.left_ml), percent = (x: number): string => (100 * x).toFixed(0);
  const rows: [string, string][] = [
    ["End-diastolic volume", `${high.toFixed(0)} ± ${heart.half_width_ml.toFixed(0)} mL`], ["End-systolic volume", `${low.toFixed(0)} ± ${heart.systolic_half_width_ml.toFixed(0)} mL`],
    ["Ejection fraction", `${percent(heart.ejection_fraction)} ± ${percent(heart.ejection_fraction_half_width)} %`],
  ];
  const table = make("dl");
  for (const [name, said] of rows) table.append(make("dt", "", name), make("dd", "", said));
  return [table, ...heart.doubts.map((d) => make("p", "careful", d.charAt(0).toUpperCase() + d.slice(1))), make("p", "small", `Left ventricle, 90 % intervals; ${heart.made_by}. Research only.`)];
}

