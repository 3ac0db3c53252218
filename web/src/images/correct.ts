/** A reader's contour: corners on the one that was found, pulled by hand or moved by keys, then kept under a name. */
import { make } from "../page";
import type { Contours, Loop, Structure } from "./api";
import { type Drawn, INK } from "./picture";

const CORNERS = 16, SOFT = 1.6; // neighbours that go along, in corners
const MOVES: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Corners at even steps along a closed contour. */
export function evenly(loop: Loop, corners = CORNERS): Loop {
  const far = loop.map(([x, y], n) => { const [a, b] = loop[(n + 1) % loop.length]!; return Math.hypot(a - x, b - y); }), whole = far.reduce((a, b) => a + b, 0);
  const made: Loop = [];
  let n = 0, before = 0;
  for (let c = 0; c < corners; c++) {
    const at = (c * whole) / corners;
    while (n < loop.length - 1 && before + far[n]! < at) before += far[n++]!;
    const [x, y] = loop[n]!, [a, b] = loop[(n + 1) % loop.length]!, share = far[n] ? (at - before) / far[n]! : 0;
    made.push([x + share * (a - x), y + share * (b - y)]);
  }
  return made;
}

/** A contour of which one corner is pulled by so much, its neighbours less. */
export function pulled(points: Loop, at: number, by: [number, number]): Loop {
  const n = points.length;
  return points.map(([x, y], m) => { const d = Math.min((m - at + n) % n, (at - m + n) % n), share = Math.exp(-((d / SOFT) ** 2)); return [x + share * by[0], y + share * by[1]]; });
}

export interface Kept { structure: Structure; points: Loop; name: string; qualification: string }

export class Correction {
  drawn: Drawn | null = null;
  readonly box = make("form", "correct");
  private readonly start = make("button", "", "Correct");
  private readonly structure = make("select");
  private readonly name = make("input");
  private readonly role = make("input");
  private readonly keep = make("button", "", "Keep and fit again");
  private readonly undo = make("button", "", "Undo the last one");
  readonly said = make("p", "small");

  constructor(private readonly found: () => Contours | null, private readonly phase: () => number, private readonly changed: () => void, kept: (k: Kept) => Promise<void>, undone: () => Promise<void>) {
    for (const s of ["left", "outer", "right"] as const) { const option = make("option", "", INK[s].said); option.value = s; this.structure.append(option); }
    this.structure.setAttribute("aria-label", "Contour to correct");
    this.name.placeholder = "Your name"; this.role.placeholder = "Qualification";
    this.name.setAttribute("aria-label", "Your name"); this.role.setAttribute("aria-label", "Qualification");
    this.start.type = this.undo.type = "button"; this.keep.type = "submit";
    this.said.setAttribute("role", "status");
    this.start.addEventListener("click", () => { if (this.drawn) this.end(); else this.begin(); });
    this.structure.addEventListener("change", () => { if (this.drawn) this.begin(); });
    this.undo.addEventListener("click", () => void this.wait(undone));
    this.box.addEventListener("submit", (e) => {
      e.preventDefault();
      const { drawn } = this;
      if (drawn) void this.wait(() => kept({ structure: drawn.structure, points: drawn.points, name: this.name.value, qualification: this.role.value }));
    });
    this.box.append(this.start, this.structure, this.name, this.role, this.keep, this.undo, this.said);
    this.show();
  }

  /** Corners lie on the contour of the picture and phase that is shown. */
  begin(): void {
    const structure = this.structure.value as Structure, loops = this.found()?.[structure]?.[this.phase()] ?? [], longest = loops.reduce<Loop | null>((a, b) => (a && a.length >= b.length ? a : b), null);
    this.drawn = longest ? { points: evenly(longest), at: 0, structure } : null;
    this.said.textContent = longest ? "Pull a corner, or choose one with [ and ] and move it with the arrows. What you keep counts for this slice and phase." : "That structure is not in this slice and phase.";
    this.show(); this.changed();
  }
  end(): void { if (!this.drawn) return; this.drawn = null; this.said.textContent = ""; this.show(); this.changed(); }
  offer(possible: boolean, corrections: number): void { this.start.disabled = !possible; this.undo.hidden = corrections === 0; if (!possible) this.end(); }

  take([x, y]: [number, number], near: number): boolean {
    if (!this.drawn) return false;
    const far = this.drawn.points.map(([a, b]) => Math.hypot(a - x, b - y)), at = far.indexOf(Math.min(...far));
    if (far[at]! > near) return false;
    this.drawn.at = at; this.changed();
    return true;
  }
  pull([x, y]: [number, number]): void {
    if (!this.drawn) return;
    const [a, b] = this.drawn.points[this.drawn.at]!;
    this.drawn.points = pulled(this.drawn.points, this.drawn.at, [x - a, y - b]);
    this.changed();
  }
  key(key: string, far: boolean): boolean {
    if (!this.drawn) return false;
    const { points, at } = this.drawn, n = points.length, step = MOVES[key];
    if (key === "Escape") { this.end(); return true; }
    if (key === "[" || key === "]") this.drawn.at = (at + (key === "]" ? 1 : n - 1)) % n;
    else if (step) this.drawn.points = pulled(points, at, far ? [4 * step[0], 4 * step[1]] : step);
    else return false;
    this.changed();
    return true;
  }

  private async wait(does: () => Promise<void>): Promise<void> {
    this.keep.disabled = this.undo.disabled = true;
    this.said.textContent = "Fitting the heart again …";
    try { await does(); this.end(); this.said.textContent = "Fitted again."; } catch (fault) { this.said.textContent = fault instanceof Error ? fault.message : String(fault); }
    this.keep.disabled = this.undo.disabled = false;
  }
  private show(): void {
    const on = this.drawn !== null;
    this.start.setAttribute("aria-pressed", String(on));
    for (const e of [this.name, this.role, this.keep]) e.hidden = !on;
  }
}
