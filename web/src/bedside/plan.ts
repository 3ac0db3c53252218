/** A signed plan over the live patient: what was foreseen and what is read, whether they part, and why that may be. */
import { COLOURS, TWIN } from "../marks";
import type { Finding, Plan } from "../messages";
import { byId, make } from "../page";
import { clock, figures } from "../words";
import { drawBand } from "./forecast";

const SHOWN: [string, string, number, string][] = [ // least span of the axis; colour of what was read
  ["mean_arterial_pressure", "MAP", 20, COLOURS["arterial_pressure"]!], ["heart_rate", "HR", 20, COLOURS["ecg"]!],
  ["oxygen_saturation", "SpO₂", 6, COLOURS["plethysmogram"]!], ["central_venous_pressure", "CVP", 6, "#f2d35a"],
];
const MOST = 3, LEAST = 0.02; // causes that are listed, and the share of the least of them
const share = (x: number): string => `${Math.round(100 * x)} %`;
let plan: Plan | null = null, dismissed = "";

/** Shows what is new of the plan; without one, the forecast keeps its place. */
export function showPlan(p: Plan | null = plan): void {
  plan = p;
  const on = plan !== null && plan.id !== dismissed;
  byId("forecast").hidden = on;
  byId("plan").hidden = !on;
  if (plan === null || !on) return;
  byId("plan").classList.toggle("left", plan.left !== null && !plan.over);
  byId("plan-head").textContent = `Signed plan: ${plan.option}`;
  byId("plan-time").textContent = plan.over ? "over" : `minute ${Math.max(plan.minute, 0).toFixed(1)} of ${figures(plan.minutes)}`;
  byId("plan-close").hidden = !plan.over;
  byId("plan-said").replaceChildren(...(plan.over ? held(plan) : plan.left ? why(plan) : [make("p", "small", "Band: as it was signed, 90 %. Dots: as it is read.")]));
  charts(plan);
}

/** What the bar says of it beside the twin's own findings. */
export function planFindings(): Finding[] {
  if (!plan?.left || plan.over) return [];
  const { kind, text, since } = plan.left, first = plan.causes.filter((c) => c.rank === 1).map((c) => c.cause);
  const likely = first.length ? `; fits best: ${first.join(" or ")}` : "";
  return [{ kind: kind === "device" ? "sensor" : "patient", text: `left the signed plan: ${text}${likely}`, clock: since }];
}

export function closePlan(): void {
  dismissed = plan?.id ?? "";
  showPlan();
}

function why(p: Plan): HTMLElement[] {
  const said = make("p", "leave", `${p.left?.kind === "device" ? "Device" : "Patient"} left it at ${clock(p.left?.since ?? 0)}: ${p.left?.text}`);
  if (!p.causes.length) return [said, make("p", "small", p.why_not || "What fits is being looked for …")];
  const list = make("ol", "causes");
  list.setAttribute("aria-label", "What fits, the likeliest first");
  list.append(...p.causes.filter((c) => c.rank === 1 || c.share >= LEAST).slice(0, MOST).map((c) => {
    const row = make("li", c.rank === 1 ? "first" : ""), bar = make("i");
    bar.style.width = `${100 * c.share}%`;
    row.append(bar, make("b", "", `${c.rank}. ${c.cause}`), make("span", "", ` ${c.severity}`), make("span", "share", share(c.share)));
    return row;
  }));
  return [said, list];
}

function held(p: Plan): HTMLElement[] {
  const rows = Object.entries(p.scores), row = make("p", "small");
  if (!rows.length) return [make("p", "small", p.why_not)];
  const all = rows.reduce((n, [, s]) => n + s.readings, 0), inside = rows.reduce((n, [, s]) => n + s.inside_90 * s.readings, 0);
  row.textContent = `Kept as its score: ${rows.map(([n, s]) => `${p.courses[n]?.label ?? n} CRPS ${figures(s.crps)} ${p.courses[n]?.unit ?? ""}`).join(", ")}`;
  return [make("p", "score", `${share(inside / all)} of ${all} readings lay in the 90 % that was signed${p.left ? `; the patient left it at ${clock(p.left.since)}` : ""}`), row];
}

function charts(p: Plan): void {
  const list = byId("plan-charts"), shown = SHOWN.filter(([name]) => p.courses[name] && (name !== "central_venous_pressure" || p.courses[name]!.read.length));
  while (list.children.length > shown.length) list.lastElementChild?.remove();
  const drawn = shown.map(([name, label, span, colour], i) => {
    const box = (list.children[i] as HTMLElement | undefined) ?? list.appendChild(make("figure", "ahead"));
    if (!box.firstChild) box.append(make("figcaption"), make("canvas"));
    const { band, minutes, at, read, unit } = p.courses[name]!, now = nearest(minutes, p.minute), caption = box.querySelector("figcaption")!, canvas = box.querySelector("canvas")!;
    const value = read.length ? `${figures(read[read.length - 1]!)} ${unit}` : "not read yet", signed = `${figures(band.low[now]!)}–${figures(band.high[now]!)}`;
    const title = make("b", "", label), foreseen = make("div", "", `signed ${signed}`);
    title.style.color = colour; foreseen.style.color = TWIN;
    caption.replaceChildren(title, ` ${value}`, foreseen);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${label}: ${read.length ? "read " : ""}${value}, signed for now ${signed} ${unit}`);
    return () => drawBand(canvas, minutes, band, span, { at, read, colour });
  });
  for (const draw of drawn) draw(); // once all stand, and have their size
}

function nearest(minutes: number[], at: number): number {
  const i = minutes.findIndex((m) => m >= at);
  return i < 0 ? minutes.length - 1 : i;
}
