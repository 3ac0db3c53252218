/** What stands over the picture as text: labels with leaders, letters of the body, scale bar, legend, remarks. */
import type { Camera, Matrix4 } from "three";
import { Vector3 } from "three";
import type { BeatKind, FieldName } from "./frame";
import { gradient, RANGES } from "./palette";

const SVG = "http://www.w3.org/2000/svg";
/** `short` where room is scarce; `at` may move: a leader follows it in each frame. */
export interface Anchor { text: string; short: string; at: Vector3; /** Of what it names [mm]. */ radius: number; colour?: string }
/** What goes with what it points at; `x` and `y` where it was drawn last. */
interface Leader { anchor: Anchor; x: number; y: number; move(x: number, y: number): void }
interface Seen { a: Anchor; x: number; y: number }
/** What stands in the patient's own view instead: what a part does. */
const PLAIN: Record<string, string> = {
  "Left ventricle": "Pumps to the body", "Right ventricle": "Pumps to the lungs", "Left atrium": "Fills from the lungs", "Right atrium": "Fills from the body",
  "Mitral valve": "Left inlet", "Aortic valve": "Left outlet", "Tricuspid valve": "Right inlet", "Pulmonary valve": "Right outlet",
  Aorta: "To the body", "Pulmonary trunk": "To the lungs", "Superior vena cava": "From head and arms",
};
const ROOMY = 470, PLAINLY = 600, LOW = 180; // px of width that whole names need on both sides, and what a part does beside a larger heart; of height below which none has room

const drawn = (name: string, attributes: Record<string, string>): SVGElement => {
  const e = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
};

const box = (parent: Element, css: string, text = ""): HTMLElement => {
  const e = document.createElement("div");
  e.style.cssText = `position:absolute;${css}`; e.textContent = text;
  parent.append(e);
  return e;
};

/** Letters for the way a screen axis points in the body (left, head, front of the scene). */
export function letters(x: number, y: number, z: number): string {
  const named: [number, string][] = [[Math.abs(x), x > 0 ? "L" : "R"], [Math.abs(y), y > 0 ? "H" : "F"], [Math.abs(z), z > 0 ? "A" : "P"]];
  return named.filter(([n]) => n > 0.42).sort((a, b) => b[0] - a[0])
    .slice(0, 2).map(([, s]) => s).join("");
}

export interface Overlay {
  place(camera: Camera, toScene: Matrix4, anchors: Anchor[], mmPerPixel: number): void; /** Leaders go with what they point at. */ follow(camera: Camera, toScene: Matrix4): void;
  beat(kind: BeatKind): void; legend(field: FieldName | null): void; stale(on: boolean): void; remove(): void;
}

export function createOverlay(canvas: HTMLCanvasElement): Overlay {
  const host = canvas.parentElement ?? document.body;
  const root = box(host, "inset:0;pointer-events:none;overflow:hidden;color:#e6edf3;font:13px/1.2 system-ui,sans-serif;text-shadow:0 0 3px #101820,0 0 3px #101820");
  root.setAttribute("aria-hidden", "true");
  const lines = document.createElementNS(SVG, "svg");
  lines.style.cssText = "position:absolute;inset:0;width:100%;height:100%";
  root.append(lines);
  const tags = box(root, "inset:0");
  const side = "font-weight:600;color:#9fb3c8;";
  const edge = [box(root, `${side}right:10px;top:52px`), box(root, `${side}left:12px;top:52px`), box(root, `${side}top:6px;left:50%`), box(root, `${side}bottom:6px;left:50%`)] as const;
  for (const e of edge) e.className = "heart-edge";
  const scale = box(root, "right:16px;bottom:14px;height:6px;border:solid #e6edf3;border-width:0 2px 2px;box-sizing:border-box");
  box(scale, "right:0;bottom:8px;white-space:nowrap", "10 mm");
  scale.className = "heart-scale";
  const key = box(root, "left:12px;bottom:44px;display:none"), old = box(root, "top:48px;left:34px;display:none;font-weight:700;padding:2px 8px;background:#e6edf3;color:#101820;text-shadow:none", "STALE");
  const ectopic = box(root, "top:48px;left:34px;display:none;font-weight:700;padding:2px 8px;border-radius:4px;background:#ffb347;color:#201800;text-shadow:none");
  box(root, "left:12px;top:8px;max-width:33%;color:#b4c3d2;font-size:12px", "").className = "heart-remark";
  let leaders: Leader[] = [], shown: BeatKind = "N";
  const p = new Vector3();

  function place(camera: Camera, toScene: Matrix4, anchors: Anchor[], mmPerPixel: number): void {
    const wide = canvas.clientWidth, high = canvas.clientHeight, way = new Vector3();
    for (const [i, e] of edge.entries()) {
      way.set(i === 0 ? 1 : i === 1 ? -1 : 0, i === 2 ? 1 : i === 3 ? -1 : 0, 0).applyQuaternion(camera.quaternion);
      e.textContent = letters(way.x, way.y, way.z);
    }
    scale.style.width = `${(10 / mmPerPixel).toFixed(1)}px`;
    const plain = canvas.closest("#view-patient") !== null, brief = wide < ROOMY, seen = (high < LOW ? [] : anchors).filter((a) => !(plain && brief && a.colour)).map((a) => { project(a, camera, toScene); return { a, x: p.x, y: p.y }; });
    tags.replaceChildren(); lines.replaceChildren();
    leaders = plain && wide < PLAINLY ? numbered(seen, brief ? 2 : 3) : columns(seen, wide, high, plain, brief);
    follow(camera, toScene);
  }

  /** Names at both sides, each with a line to what it names. */
  function columns(seen: Seen[], wide: number, high: number, plain: boolean, brief: boolean): Leader[] {
    seen.sort((a, b) => a.x - b.x);
    const half = Math.ceil(seen.length / 2), made: Leader[] = [];
    for (const [column, right] of [[seen.slice(0, half), false], [seen.slice(half), true]] as const) {
      column.sort((a, b) => a.y - b.y);
      const low = right ? 64 : key.style.display === "none" ? 30 : 104, top = right && !brief ? 48 : 76; // at the left a remark above, the legend below
      const step = Math.min(38, (high - top - low) / column.length);
      let last = top - step;
      const tops = column.map((s, i) => (last = Math.min(Math.max(s.y, last + step), high - low - (column.length - 1 - i) * step)));
      for (const [i, { a }] of column.entries()) {
        const y = tops[i]!, inner = brief ? 40 : Math.max(142, wide * 0.15), x = right ? wide - inner : inner, elbow = x + (right ? -12 : 12);
        const tag = box(tags, `top:${y - 8}px;${right ? `left:${x + 6}px` : `right:${wide - x + 6}px`};white-space:nowrap;${step < 16 ? "font-size:12px;" : ""}${a.colour ? `border-bottom:2px solid ${a.colour}` : ""}`, plain ? PLAIN[a.text] ?? a.text : brief ? a.short : a.text);
        tag.className = "heart-label"; tag.title = a.text;
        const line = drawn("path", { stroke: a.colour ?? "#c9d6e2", "stroke-opacity": "0.8", fill: "none" }), dot = drawn("circle", { r: "2.5", fill: a.colour ?? "#ffffff" });
        lines.append(line, dot);
        made.push({ anchor: a, x: -1e3, y: -1e3, move: (px, py) => {
          line.setAttribute("d", `M${x} ${y}L${elbow} ${y}L${px.toFixed(1)} ${py.toFixed(1)}`);
          dot.setAttribute("cx", px.toFixed(1)); dot.setAttribute("cy", py.toFixed(1));
        } });
      }
    }
    return made;
  }

  /** Where no column fits beside the heart: numbers on it, and what they say below. */
  function numbered(seen: Seen[], across: number): Leader[] {
    seen.sort((a, b) => a.y - b.y);
    const list = box(tags, "left:10px;bottom:6px;display:grid;grid-auto-flow:column;gap:1px 12px;font-size:12px;padding:3px 6px;border-radius:4px;background:#101820d9");
    list.style.gridTemplateRows = `repeat(${Math.ceil(seen.length / across)},auto)`;
    return seen.map(({ a }, i) => {
      const mark = drawn("g", {}), number = drawn("text", { "text-anchor": "middle", dy: "4", fill: "#e6edf3", "font-size": "12", "font-weight": "700" }), tag = document.createElement("div");
      number.textContent = `${i + 1}`;
      mark.append(drawn("circle", { r: "9", fill: "#101820d9", stroke: a.colour ?? "#e6edf3" }), number);
      lines.append(mark);
      tag.className = "heart-label"; tag.textContent = `${i + 1} ${PLAIN[a.text] ?? a.text}`;
      list.append(tag);
      return { anchor: a, x: -1e3, y: -1e3, move: (px, py) => mark.setAttribute("transform", `translate(${px.toFixed(1)} ${py.toFixed(1)})`) };
    });
  }

  function project(a: Anchor, camera: Camera, toScene: Matrix4): void {
    p.copy(a.at).applyMatrix4(toScene).project(camera);
    p.set(((p.x + 1) / 2) * canvas.clientWidth, ((1 - p.y) / 2) * canvas.clientHeight, 0);
  }

  function follow(camera: Camera, toScene: Matrix4): void {
    for (const l of leaders) {
      project(l.anchor, camera, toScene);
      if (Math.abs(p.x - l.x) + Math.abs(p.y - l.y) < 0.5) continue;
      l.x = p.x; l.y = p.y;
      l.move(p.x, p.y);
    }
  }

  function beat(kind: BeatKind): void {
    if (kind === shown) return;
    shown = kind;
    const plain = canvas.closest("#view-patient") !== null;
    ectopic.textContent = plain ? "This beat came early" : kind === "V" ? "\u25a0 V: began in a ventricle" : "\u25b2 S: came early";
    ectopic.style.display = kind === "N" ? "none" : "block";
  }

  function legend(field: FieldName | null): void {
    key.replaceChildren();
    key.style.display = field ? "block" : "none";
    if (!field) return;
    const { low, high, factor, unit, title } = RANGES[field], shown = (v: number): string => `${Math.round(v * factor)}`;
    key.style.width = "150px"; key.style.height = "46px";
    box(key, "top:0;left:0;white-space:nowrap", `${title} [${unit}]`);
    box(key, `top:18px;left:0;width:148px;height:9px;border:1px solid #9fb3c8;background:${gradient()}`);
    for (const [i, v] of [low, (low + high) / 2, high].entries()) box(key, `top:30px;left:${74 * i}px;transform:translateX(-${50 * i}%);font-size:12px`, shown(v));
  }

  return { place, follow, beat, legend, stale: (on) => { old.style.display = on ? "block" : "none"; }, remove: () => root.remove() };
}
