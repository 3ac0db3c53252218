/** Numbers and words: each with unit, interval and the age of its data. */
import { showStanding } from "./bar";
import type { Hello, State } from "./messages";
import { byId, text } from "./page";
import { level, position, quality, rhythm, seconds, STARS } from "./words";

const PRESSURE = /^(very )?(low|high) (arterial|systolic) pressure$/; // alarms that are of the number itself

export function showPatient(h: Hello): void {
  document.body.dataset["kind"] = h.kind;
  text("p-name", h.patient.name);
  text("p-id", h.patient.id);
  text("p-born", h.patient.born);
  text("p-allergies", h.patient.allergies);
  const { composite } = h.patient;
  if (composite) document.body.dataset["kind"] = "composite";
  byId("composite").hidden = !composite;
  text("composite-said", composite ? `${composite.replace(/^composite: /, "")}. Never read it as one person.` : "");
  text("kind", composite ? "composite" : h.kind);
  text("watermark", (composite ? "composite" : h.kind).toUpperCase());
  byId("abp-tile").hidden = !h.channels.some((c) => c.variable === "arterial_pressure");
}

/** Shows a state that was received `silent` seconds ago, of a recording of `length` [s]. */
export function showState(s: State, silent: number, length: number): void {
  showRate(s, silent);
  showPressure(s, silent);
  showRhythm(s, silent);
  showQuality(s, silent);
  showStanding(s.active);
  text("delay", s.delay ? s.delay.last.toFixed(2) : "–");
  text("delay-p95", s.delay ? `95 % within ${s.delay.p95.toFixed(2)} s` : "no beat yet");
  text("position", `${position(s.at)} of ${position(length)}`);
}

function showRate(s: State, silent: number): void {
  text("hr", s.hr ? s.hr.value.toFixed(0) : "–");
  text("hr-range", s.hr ? `90 % interval ${s.hr.low.toFixed(0)}–${s.hr.high.toFixed(0)}` : "no rate can be told");
  text("hr-age", s.beat_age === null ? "no beat yet" : `last beat ${seconds(s.beat_age + silent)} ago`);
}

function showPressure(s: State, silent: number): void {
  const p = s.pressure;
  text("abp", p ? `${Math.round(p.systolic)}/${Math.round(p.diastolic)}` : "–");
  text("abp-mean", p ? `mean ${Math.round(p.mean)}` : "no pulse measured yet");
  text("abp-range", p ? `sys. ${Math.round(p.low)}–${Math.round(p.high)}` : "");
  text("abp-age", p ? `${seconds(p.age + silent)} ago` : "");
  byId("abp-tile").dataset["priority"] = s.active.find((a) => PRESSURE.test(a.code))?.priority ?? "none";
}

function showRhythm(s: State, silent: number): void {
  const { word, note, priority } = rhythm(s);
  text("rhythm", priority === "none" ? word : `${STARS[priority]} ${word}`);
  text("rhythm-note", silent ? `${note}, as of ${seconds(silent)} ago` : note);
  byId("rhythm-tile").dataset["priority"] = priority;
}

function showQuality(s: State, silent: number): void {
  const bar = byId("quality-bar");
  if (!s.quality) {
    text("quality", "–");
    text("quality-reason", "needs 10 s of signal");
    text("quality-age", "");
    bar.style.transform = "scaleX(0)";
    return;
  }
  text("quality", quality(s.quality.weight));
  text("quality-reason", s.quality.reason || "nothing to object");
  text("quality-age", `10 s that ended ${seconds(s.quality.age + silent)} ago`);
  bar.dataset["level"] = level(s.quality.weight);
  bar.style.transform = `scaleX(${s.quality.weight})`;
}
