/** What the twin says beside the monitor: simulated numbers, outlined; how old they are; what was found. */
import { showFindings } from "../bar";
import type { Quantity, Twin } from "../messages";
import { byId, make, text } from "../page";
import { planFindings } from "./plan";
import { figures, seconds, unit } from "../words";

const SHOWN: [string, string][] = [
  ["cardiac_output", "CO"], ["stroke_volume", "SV"], ["left_ventricular_ejection_fraction", "EF"], ["systemic_vascular_resistance", "SVR"],
  ["left_ventricular_end_diastolic_pressure", "LVEDP"], ["mean_arterial_pressure", "MAP"],
];

/** Shows a message of the twin that came `silent` seconds ago. */
export function showTwin(t: Twin, silent: number): void {
  document.body.dataset["twin"] = t.status;
  document.body.dataset["step"] = t.withheld ? "out" : "in";
  text("twin-said", t.status === "live" ? `twin ${t.said}${t.age === null ? "" : `, newest reading ${seconds(t.age + silent)} ago`}` : `twin: ${t.said}`);
  if (t.status !== "live") text("h-note", t.status === "building" ? `${t.said[0]?.toUpperCase()}${t.said.slice(1)}` : `No twin: ${t.said}`);
  for (const [i, [name, label]] of SHOWN.entries()) tile(i, label, t.numbers[name], silent, t.withheld);
  showSaturation(Object.entries(t.readings).find(([key]) => key.startsWith("oxygen_saturation@"))?.[1], silent);
  showFindings([...planFindings(), ...(t.withheld ? [{ kind: "patient" as const, text: t.withheld, clock: t.clock }] : []), ...t.findings]);
}

function tile(i: number, label: string, q: Quantity | undefined, silent: number, withheld: string): void {
  const list = byId("twin-numbers");
  const box = (list.children[i] as HTMLElement | undefined) ?? list.appendChild(make("article", "sim"));
  if (!box.firstChild) {
    const value = make("p", "said");
    value.append(make("span", "value"), make("span", "small range"));
    box.append(make("h3"), value, make("p", "small age"));
    box.querySelector("h3")!.append(make("span", "name"), make("span", "unit"));
  }
  const say = (selector: string, words: string): void => { const e = box.querySelector(selector)!; if (e.textContent !== words) e.textContent = words; };
  say(".name", label);
  say(".unit", q ? unit(q.unit) : "");
  say(".value", q ? figures(q.value) : "–");
  say(".range", q ? `${figures(q.low)}–${figures(q.high)}` : withheld ? "withheld" : "not told yet");
  say(".age", q ? (q.age === null ? "not measured" : `read ${seconds(q.age + silent)} ago`) : "");
}

function showSaturation(q: Quantity | undefined, silent: number): void {
  byId("spo2-tile").hidden = !q;
  if (!q) return;
  byId("spo2-tile").classList.toggle("aged", q.stale);
  text("spo2", q.value.toFixed(0));
  text("spo2-range", `90 % interval ${q.low.toFixed(0)}–${Math.min(100, q.high).toFixed(0)}`);
  text("spo2-age", `${q.device} ${seconds((q.age ?? 0) + silent)} ago`);
}
