/** The list of events, newest first; every alarm once, by its number. */
import type { Alarm } from "./messages";
import { byId } from "./page";

const STARS = { high: "***", medium: "**", low: "*" } as const;
const seen = new Set<number>();

export function listAlarm(a: Alarm): void {
  const key = a.id + a.clock;
  if (seen.has(key)) return;
  seen.add(key);
  const row = document.createElement("li"), stars = document.createElement("b"), what = document.createElement("span"), when = document.createElement("time");
  row.className = `${a.priority}${a.on ? "" : " off"}`;
  stars.textContent = a.on ? STARS[a.priority] : "–";
  stars.setAttribute("aria-label", `${a.priority} priority`);
  stars.setAttribute("role", "img");
  what.textContent = a.on ? a.text : `ended: ${a.text}`;
  when.textContent = new Date(a.clock * 1000).toLocaleTimeString("en-GB");
  row.append(stars, what, when);
  byId("events").prepend(row);
  byId("no-events").hidden = true;
}
