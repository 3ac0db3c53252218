/** One picture on a canvas: grey values through a window, contours, lines of other planes, a cursor, sides of the person. */
import { make, penOf } from "../page";
import { type Loop, type Slice, type Stack, STRUCTURES, type Structure } from "./api";
import { axis, side, toSpace, type Vec3 } from "./place";

/** Told apart by dashes as well as by colour. */
export const INK: Record<Structure, { colour: string; dash: number[]; said: string }> = {
  left: { colour: "#ff7b7b", dash: [], said: "Left ventricle, inside" }, outer: { colour: "#ffd64a", dash: [6, 4], said: "Left ventricle, outside" }, right: { colour: "#5ad7f2", dash: [2, 3], said: "Right ventricle, inside" },
};
export interface Window { low: number; high: number }
export interface Line { at: [number, number, number, number]; strong: boolean }
/** A contour under a reader's hand, in pixels of the picture; `at` is the corner that keys move. */
export interface Drawn { points: Loop; at: number; structure: Structure }
export interface Acts {
  /** A corner is taken: whether there is a contour to correct. `near` is how far a pointer may be off [pixel]. */
  taken(at: [number, number], near: number): boolean; pulled(to: [number, number]): void; /** Whether a key meant the contour. */ keyed(key: string, far: boolean): boolean;
  picked(at: Vec3): void; sliced(by: number): void; turned(by: number): void; played(): void; /** Of the range of values shown. */ windowed(centre: number, width: number): void;
}

const NEAR = 1.7; // times the heart, that a picture shows of its surroundings
const GRIP = 14; // px within which a pointer takes a corner
const DRAG = 400; // px that go from black to white

export class Picture {
  readonly box = make("figure", "picture");
  readonly canvas = make("canvas");
  private readonly caption = make("figcaption");
  private readonly pixels = document.createElement("canvas");
  private stack: Stack | null = null;
  private slice: Slice | null = null;
  private image: ImageData | null = null;
  private k = 0;
  /** Left, top and size of what is shown [pixel of the picture]; null for all of it. */
  private part: [number, number, number] | null = null;

  constructor(name: string, acts: Acts) {
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", name);
    this.box.append(this.canvas, this.caption);
    let pulling = false;
    this.canvas.addEventListener("pointerdown", (e) => {
      pulling = e.button === 0 && !e.shiftKey && this.stack !== null && acts.taken(this.pixel(e), GRIP / (this.fit(this.canvas.clientWidth, this.canvas.clientHeight).scale * this.stack.spacing_mm[0]));
      if (pulling) this.canvas.setPointerCapture(e.pointerId);
    });
    this.canvas.addEventListener("pointermove", (e) => { if (pulling) acts.pulled(this.pixel(e)); });
    this.canvas.addEventListener("click", (e) => { if (!pulling && this.stack && !e.shiftKey) acts.picked(toSpace(this.stack.affine_ras_mm, [...this.pixel(e), this.k])); pulling = false; });
    this.canvas.addEventListener("wheel", (e) => { e.preventDefault(); acts.sliced(Math.sign(e.deltaY)); }, { passive: false });
    this.canvas.addEventListener("contextmenu", (e) => e.preventDefault());
    this.canvas.addEventListener("pointermove", (e) => { if ((e.buttons & 2) || ((e.buttons & 1) && e.shiftKey)) acts.windowed(-e.movementY / DRAG, e.movementX / DRAG); });
    this.canvas.addEventListener("keydown", (e) => {
      if (acts.keyed(e.key, e.shiftKey)) { e.preventDefault(); e.stopPropagation(); return; }
      const act = { ArrowUp: () => acts.sliced(-1), ArrowDown: () => acts.sliced(1), ArrowLeft: () => acts.turned(-1), ArrowRight: () => acts.turned(1), " ": () => acts.played() }[e.key];
      if (act) { e.preventDefault(); e.stopPropagation(); act(); }
    });
  }

  set(stack: Stack, k: number, slice: Slice | null, near: boolean): void {
    this.stack = stack; this.k = k; this.slice = slice;
    const [wide, high] = stack.shape;
    if (this.pixels.width !== wide || this.pixels.height !== high) { this.pixels.width = wide; this.pixels.height = high; this.image = new ImageData(wide, high); }
    this.part = near && slice ? around(slice, stack) : null;
  }

  draw(phase: number, window: Window, lines: readonly Line[], cursor: Vec3 | null, said: string, drawn: Drawn | null = null): void {
    const made = penOf(this.canvas);
    if (this.caption.textContent !== said) this.caption.textContent = said;
    if (!made || !this.stack) return;
    const { pen, w, h } = made;
    pen.fillStyle = "#000"; pen.fillRect(0, 0, w, h);
    if (!this.slice || !this.image) return;
    this.grey(phase, window);
    const { scale, x, y } = this.fit(w, h), [dx, dy] = this.stack.spacing_mm;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(this.pixels, x - 0.5 * scale * dx, y - 0.5 * scale * dy, this.stack.shape[0] * scale * dx, this.stack.shape[1] * scale * dy);
    const px = (i: number): number => x + i * scale * dx, py = (j: number): number => y + j * scale * dy;
    for (const { at, strong } of lines) stroke(pen, [[at[0], at[1]], [at[2], at[3]]], px, py, strong ? "#8fb7ff" : "#8fb7ff88", [8, 6], false, 1);
    for (const name of STRUCTURES) for (const loop of name === drawn?.structure ? [] : (this.slice.contours[name]?.[phase] ?? [])) {
      stroke(pen, loop, px, py, "#000a", [], true, 3.5);
      stroke(pen, loop, px, py, INK[name].colour, INK[name].dash, true, 1.8);
    }
    if (drawn) {
      stroke(pen, drawn.points, px, py, "#000a", [], true, 4);
      stroke(pen, drawn.points, px, py, "#fff", [], true, 2);
      drawn.points.forEach(([i, j], n) => { pen.beginPath(); pen.arc(px(i), py(j), n === drawn.at ? 7 : 4.5, 0, 2 * Math.PI); pen.fillStyle = INK[drawn.structure].colour; pen.fill(); pen.lineWidth = n === drawn.at ? 2.5 : 1; pen.strokeStyle = n === drawn.at ? "#fff" : "#000"; pen.setLineDash([]); pen.stroke(); });
    }
    if (cursor) cross(pen, px(cursor[0]), py(cursor[1]));
    this.sides(pen, w, h);
  }

  /** Where the pointer is [pixel of the picture]. */
  private pixel(e: MouseEvent): [number, number] {
    const { scale, x, y } = this.fit(this.canvas.clientWidth, this.canvas.clientHeight), [dx, dy] = this.stack!.spacing_mm;
    return [(e.offsetX - x) / (scale * dx), (e.offsetY - y) / (scale * dy)];
  }

  /** Pixels of the page for a millimetre, and where the first voxel's middle lies. */
  private fit(w: number, h: number): { scale: number; x: number; y: number } {
    const { shape: [wide, high], spacing_mm: [dx, dy] } = this.stack!;
    const [left, top, size] = this.part ?? [(wide - 1) / 2, (high - 1) / 2, 0], scale = size ? Math.min(w, h) / size : Math.min(w / (wide * dx), h / (high * dy));
    return { scale, x: w / 2 - left * dx * scale, y: h / 2 - top * dy * scale };
  }

  private grey(phase: number, { low, high }: Window): void {
    const { values } = this.slice!, n = this.pixels.width * this.pixels.height, first = n * phase, [least, most] = this.stack!.range, data = this.image!.data;
    const step = (most - least) / 65535 || 1, from = (low - least) / step, gain = 255 / Math.max(1e-9, (high - low) / step);
    for (let p = 0, q = 0; p < n; p++, q += 4) { const v = (values[first + p]! - from) * gain; data[q] = v; data[q + 1] = v; data[q + 2] = v; data[q + 3] = 255; }
    this.pixels.getContext("2d")?.putImageData(this.image!, 0, 0);
  }

  private sides(pen: CanvasRenderingContext2D, w: number, h: number): void {
    const x = axis(this.stack!.affine_ras_mm, 0), y = axis(this.stack!.affine_ras_mm, 1), minus = (v: Vec3): Vec3 => [-v[0], -v[1], -v[2]];
    pen.font = "600 13px system-ui, sans-serif"; pen.textBaseline = "middle"; pen.lineWidth = 3; pen.strokeStyle = "#000"; pen.fillStyle = "#c9d6e2"; pen.setLineDash([]);
    for (const [v, left, top, align] of [[minus(x), 6, h / 2, "left"], [x, w - 6, h / 2, "right"], [minus(y), w / 2, 10, "center"], [y, w / 2, h - 10, "center"]] as const) {
      pen.textAlign = align; pen.strokeText(side(v), left, top); pen.fillText(side(v), left, top);
    }
  }
}

/** Middle of the contours of all phases, and how far a picture of the heart reaches [mm]. */
function around(slice: Slice, { spacing_mm: [dx, dy] }: Stack): [number, number, number] | null {
  const all = STRUCTURES.flatMap((s) => (slice.contours[s] ?? []).flat(2));
  if (!all.length) return null;
  const [left, right] = ends(all.map(([i]) => i)), [top, bottom] = ends(all.map(([, j]) => j));
  return [(left + right) / 2, (top + bottom) / 2, NEAR * Math.max((right - left) * dx, (bottom - top) * dy, 50)];
}
const ends = (all: number[]): [number, number] => [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), -Infinity)];

function stroke(pen: CanvasRenderingContext2D, points: readonly (readonly [number, number])[], px: (i: number) => number, py: (j: number) => number, colour: string, dash: number[], shut: boolean, wide: number): void {
  pen.beginPath();
  points.forEach(([i, j], n) => (n ? pen.lineTo(px(i), py(j)) : pen.moveTo(px(i), py(j))));
  if (shut) pen.closePath();
  pen.setLineDash(dash); pen.strokeStyle = colour; pen.lineWidth = wide; pen.stroke();
}

function cross(pen: CanvasRenderingContext2D, x: number, y: number): void {
  pen.beginPath();
  for (const [a, b] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) { pen.moveTo(x + 4 * a, y + 4 * b); pen.lineTo(x + 14 * a, y + 14 * b); }
  pen.setLineDash([]);
  pen.strokeStyle = "#000"; pen.lineWidth = 3.5; pen.stroke();
  pen.strokeStyle = "#4cf08a"; pen.lineWidth = 1.5; pen.stroke();
}
