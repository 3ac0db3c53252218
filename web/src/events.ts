/** All alarms so far, newest first, each once, and how many that is. */
import { stars } from "./bar";
import type { Alarm, Priority } from "./messages";
import { byId, text } from "./page";
import { clock, pace, seconds, STARS } from "./words";

const DAY = 86_400, LEAST = 600; // [s] of a day; and of watching, before a pace is told
const ROWS = 500; // kept in the list
const seen = new Set<string>();
let newest = 0, begun: Priority[] = []; // of this run of the server

function part(name: "span" | "time", words: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = words;
  return made;
}

export function listAlarm(a: Alarm): void {
  const key = `${a.id}@${a.clock}`;
  if (seen.has(key)) return;
  seen.add(key);
  if (a.id <= newest) begun = [];
  newest = a.id;
  if (a.on) begun.push(a.priority);
  list(`${a.priority}${a.on ? "" : " off"}`, stars(a.on ? STARS[a.priority] : "–", a.priority), a.on ? a.text : `ended: ${a.text}`, a.clock);
}

/** What the page itself has to say, now. */
export function listWord(words: string): void { list("off", part("span", "–"), words, Date.now() / 1000); }

function list(kind: string, sign: HTMLElement, words: string, at: number): void {
  const row = document.createElement("li"), list = byId("events");
  row.className = kind;
  row.append(sign, part("span", words), part("time", clock(at)));
  list.prepend(row);
  if (list.childElementCount > ROWS) list.lastElementChild?.remove();
  byId("no-events").hidden = true;
}

/** How many alarms there were in `lasted` [s] at this bed, and the pace of that. */
export function showLoad(lasted: number): void {
  const of = (p: Priority): string => `${begun.filter((x) => x === p).length} ${p}`, { value, low, high } = pace(begun.length, lasted / DAY);
  text("load", `${begun.length} in ${seconds(lasted)}`);
  text("load-pace", `${of("high")}, ${of("medium")}, ${of("low")} priority${lasted < LEAST ? "" : `; at this pace ${value.toFixed(0)} a bed-day (${low.toFixed(0)}–${high.toFixed(0)})`}. What alarms miss is counted on replayed records: docs/live.md`);
}
