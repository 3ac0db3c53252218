/** Numbers and words: each with unit, interval and the age of its data. */
import type { Hello, State } from "./messages";
import { byId, text } from "./page";

const WORDS: Record<string, [string, string]> = {
  learning: ["Learning", "needs a few beats"],
  sinus: ["Sinus rhythm", "regular intervals"],
  bradycardia: ["Bradycardia", "slow beats"],
  tachycardia: ["Tachycardia", "fast beats"],
  "no signal": ["No signal", "no ECG arrives"],
  "atrial fibrillation": ["Atrial fibrillation", "irregularly irregular (COSEn)"],
  "ventricular fibrillation": ["Ventricular fibrillation", "no organised beats"],
  "ventricular tachycardia": ["Ventricular tachycardia", "fast ventricular beats"],
  pause: ["Pause", "no beat for 3 s"],
  asystole: ["Asystole", "no beat for 4 s"],
};
const HIGH = new Set(["asystole", "ventricular fibrillation", "ventricular tachycardia"]);
const MEDIUM = new Set(["pause", "atrial fibrillation"]);

export function showPatient(h: Hello): void {
  document.body.dataset["kind"] = h.kind;
  text("p-name", h.patient.name);
  text("p-id", h.patient.id);
  text("p-born", h.patient.born);
  text("p-allergies", h.patient.allergies);
  text("kind", h.kind);
  text("watermark", h.kind === "simulated" ? "SIMULATED" : "REPLAY");
  byId("abp-tile").hidden = !h.channels.some((c) => c.variable === "arterial_pressure");
}

const seconds = (s: number): string => (s < 10 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`);

export function showState(s: State, silent: number): void {
  showRate(s, silent);
  showRhythm(s);
  showQuality(s);
  text("delay", s.delay ? s.delay.last.toFixed(2) : "–");
  text("delay-p95", s.delay ? `95 % within ${s.delay.p95.toFixed(2)} s` : "");
  text("abp", s.pressure ? `${Math.round(s.pressure[0])}/${Math.round(s.pressure[1])}` : "–");
  text("abp-mean", s.pressure ? `mean ${Math.round(s.pressure[2])}, last beat` : "");
}

function showRate(s: State, silent: number): void {
  text("hr", s.hr ? s.hr.value.toFixed(0) : "–");
  text("hr-range", s.hr ? `${s.hr.low.toFixed(0)}–${s.hr.high.toFixed(0)} holds the mean, 90 %` : "no rate: too few beats");
  text("hr-age", s.beat_age === null ? "no beat yet" : `last beat ${seconds(s.beat_age + silent)} ago`);
}

function showRhythm(s: State): void {
  const [word, note] = s.lead_off ? ["Lead off", "no ECG arrives"] : WORDS[s.rhythm] ?? [s.rhythm, ""];
  text("rhythm", word ?? "");
  text("rhythm-note", note ?? "");
  const priority = s.lead_off ? "low" : HIGH.has(s.rhythm) ? "high" : MEDIUM.has(s.rhythm) ? "medium" : "none";
  byId("rhythm-tile").dataset["priority"] = priority;
}

function showQuality(s: State): void {
  const bar = byId("quality-bar");
  if (!s.quality) { text("quality", "–"); text("quality-reason", "needs 10 s of signal"); bar.style.transform = "scaleX(0)"; return; }
  const w = s.quality.weight, level = w >= 0.7 ? "good" : w >= 0.3 ? "doubt" : "bad";
  text("quality", `${level === "good" ? "Good" : level === "doubt" ? "In doubt" : "Bad"}  ${w.toFixed(2)}`);
  text("quality-reason", s.quality.reason || "nothing to object in the last 10 s");
  bar.dataset["level"] = level;
  bar.style.transform = `scaleX(${w})`;
}
