/** The bar over every view: alarms and findings that hold now, as many as fit; a list has each of them whole. */
import type { Alarm, Finding, Standing } from "./messages";
import { byId, make, text } from "./page";
import { clock, STARS } from "./words";

let alarms: Standing[] = [], findings: Finding[] = [], told = "", found = "";

/** A priority in as many stars. */
export function stars(words: string, priority: Alarm["priority"]): HTMLElement {
  const made = make("b", "", words);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", `${priority} priority`);
  return made;
}

/** Shows what alarms. The bar is touched only when that changes, so that a reader says it once. */
export function showStanding(all: Standing[]): void {
  const key = all.map((a) => `${a.code}@${a.clock}`).join();
  if (key === told) return;
  told = key;
  alarms = all;
  byId("alarms").replaceChildren(...all.map(chip), ...(all.length ? [] : [make("p", "calm", "No alarm holds")]));
  list();
}

/** Sensor or patient, what is to be done first foremost; touched only when it changes. */
export function showFindings(all: Finding[]): void {
  const key = all.map((f) => f.text).join();
  if (key === found) return;
  found = key;
  findings = [...all.filter((f) => f.kind === "patient"), ...all.filter((f) => f.kind !== "patient")];
  for (const id of ["findings", "hood-findings"]) byId(id).replaceChildren(...findings.map((f) => finding(f)));
  byId("no-findings").hidden = all.length > 0;
  list();
}

/** Opens or closes the list of what holds. */
export function openStanding(): void {
  const box = byId<HTMLDialogElement>("now");
  if (box.open) { shut(); return; }
  if (byId("b-now").hidden) return;
  box.style.top = `${byId("bar").getBoundingClientRect().bottom + 4}px`;
  box.show();
  byId("now-list").focus();
  byId("b-now").setAttribute("aria-expanded", "true");
}

export function prepareBar(): void {
  byId("b-now").addEventListener("click", openStanding);
  byId("now-close").addEventListener("click", shut);
  byId("now").addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); shut(); } });
  new ResizeObserver(fit).observe(byId("bar"));
  new ResizeObserver(fit).observe(byId("stale")); // it comes and goes
}

function shut(): void {
  const box = byId<HTMLDialogElement>("now"), inside = box.contains(document.activeElement);
  if (!box.open) return;
  box.close();
  byId("b-now").setAttribute("aria-expanded", "false");
  if (inside) byId("b-now").focus();
}

function chip(a: Standing): HTMLElement {
  const made = make("p", `chip ${a.priority}`);
  made.append(stars(STARS[a.priority], a.priority), make("span", "", a.text), make("time", "", clock(a.clock)));
  return made;
}

function finding(f: Finding): HTMLElement {
  const row = make("p", `finding ${f.kind}`);
  row.append(make("b", "", f.kind === "sensor" ? "Sensor" : "Patient"), make("span", "", f.text.replace(/^(sensor|patient): /, "").replaceAll("mm[Hg].", "mmHg·")), make("time", "", clock(f.clock)));
  return row;
}

function list(): void {
  const rows = [...alarms.map(chip), ...findings.map((f) => finding(f))];
  byId("now-list").replaceChildren(...(rows.length ? rows : [make("p", "calm", "Nothing holds any more")]).map((row) => { const line = make("li"); line.append(row); return line; }));
  fit();
}

/** What is too much for the bar is counted there; to a screen reader it stays, and the list has it. */
function fit(): void {
  const chips = [...byId("alarms").querySelectorAll<HTMLElement>(".chip")], rows = [...byId("findings").children] as HTMLElement[], button = byId("b-now");
  const show = (n: number): void => chips.forEach((c, i) => c.classList.toggle("beyond", i >= n));
  rows.forEach((row, i) => row.classList.toggle("beyond", i > 0));
  button.hidden = chips.length < 2 && !rows.length;
  let n = chips.length;
  for (show(n); ; show(n)) {
    const more = chips.length - n + Math.max(rows.length - 1, 0);
    text("now-more", more ? `+${more} more` : "Read");
    if (n <= 1 || !cut([...chips.slice(0, n), ...rows.slice(0, 1)])) break;
    n -= 1;
  }
  button.title = `Read all that holds now: ${counted(alarms.length, "alarm")}, ${counted(findings.length, "finding")}`;
}

const cut = (all: HTMLElement[]): boolean => all.some((e) => { const words = e.querySelector("span")!; return words.scrollWidth > words.clientWidth || words.scrollHeight > words.clientHeight + 1; });
const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
