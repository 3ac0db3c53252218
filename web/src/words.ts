/** Sentences and numbers as they are read at the bedside; nothing here touches the page. */
import type { Priority, State } from "./messages";

export const STARS: Record<Priority, string> = { high: "***", medium: "**", low: "*" };

const RHYTHMS: Record<string, [string, string]> = {
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
const URGENT: Record<string, Priority> = {
  asystole: "high", "ventricular fibrillation": "high", "ventricular tachycardia": "high",
  pause: "medium", "atrial fibrillation": "medium", "no signal": "low",
};

export interface Said { word: string; note: string; priority: Priority | "none" }

export function rhythm(s: Pick<State, "rhythm" | "lead_off">): Said {
  if (s.lead_off) return { word: "Lead off", note: "no ECG arrives", priority: "low" };
  const [word, note] = RHYTHMS[s.rhythm] ?? [s.rhythm, ""];
  return { word, note, priority: URGENT[s.rhythm] ?? "none" };
}

/** A length of time [s]: 0.4 s, 12 s, 3 min, 5 h. */
export function seconds(s: number): string {
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  return s < 7200 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h`;
}

/** A place in a recording [s]: 0:25, 1:00:05. */
export function position(s: number): string {
  const whole = Math.floor(s), two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export type Level = "good" | "doubt" | "bad";
export const level = (weight: number): Level => (weight >= 0.7 ? "good" : weight >= 0.3 ? "doubt" : "bad");
const LEVELS: Record<Level, string> = { good: "Good", doubt: "In doubt", bad: "Bad" };
export const quality = (weight: number): string => `${LEVELS[level(weight)]} ${weight.toFixed(2)}`;

/** How old a channel's newest sample is; `age` null before the first. */
export function fresh(age: number | null, silent: number): { said: string; gap: boolean } {
  if (age === null) return { said: "no data yet", gap: true };
  const old = age + silent;
  return old < 1 ? { said: "live", gap: false } : { said: `no data for ${seconds(old)}`, gap: true };
}

/** Events in a time [1/time], and the 90 % interval of their mean (Byar's approximation; Breslow & Day 1987, p. 69). */
export function pace(n: number, time: number): { value: number; low: number; high: number } {
  const limit = (k: number, z: number): number => (k ? k * (1 - 1 / (9 * k) + z / (3 * Math.sqrt(k))) ** 3 : 0);
  return { value: n / time, low: limit(n, -1.645) / time, high: limit(n + 1, 1.645) / time };
}

export const clock = (at: number): string => new Date(at * 1000).toLocaleTimeString("en-GB");

/** Three significant digits, without an exponent. */
export function figures(x: number): string {
  const size = Math.abs(x);
  return size >= 100 ? x.toFixed(0) : size >= 10 ? x.toFixed(1) : size >= 1 || x === 0 ? x.toFixed(2) : x.toPrecision(2);
}
/** A UCUM unit as it is read: mm[Hg].min/L is mmHg·min/L, 1 is nothing. */
export const unit = (ucum: string): string => (ucum === "1" ? "" : ucum.replace("[Hg]", "Hg").replace(".", "·").replace(/mL-1$/, "1/mL"));
/** A name of the vocabulary as words: lung_shunt is Lung shunt; lv and rv keep their capitals. */
export function plain(name: string): string {
  const words = name.replaceAll("_", " ").replace(/\b(lv|rv)\b/g, (v) => v.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}
