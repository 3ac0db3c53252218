/** What the futures tell side by side: chances, ranking with its regret, paired differences. */
import { make } from "../page";
import type { Chance, Comparison, Difference, Judged, Result, Unit } from "./api";
import { said } from "./courses";

/** One decimal below ten, none above: more would say more than some hundred members know. */
const fixed = (value: number): string => value.toFixed(Math.abs(value) < 9.95 ? 1 : 0).replace("-", "−");
const percent = (share: number): string => fixed(100 * share);

function row(head: string, cells: (string | HTMLElement)[], group: "th" | "td" = "td"): HTMLTableRowElement {
  const made = make("tr"), first = make("th", "", head);
  first.scope = group === "th" ? "col" : "row";
  made.append(first);
  for (const cell of cells) {
    const box = make(group, group === "td" ? "num" : "");
    if (box instanceof HTMLTableCellElement && group === "th") box.scope = "col";
    box.append(cell);
    made.append(box);
  }
  return made;
}

function table(caption: string, head: HTMLTableRowElement, rows: HTMLTableRowElement[]): HTMLElement {
  const made = make("table"), top = make("thead"), body = make("tbody");
  top.append(head); body.append(...rows);
  made.append(make("caption", "", caption), top, body);
  return made;
}

function chance(c: Chance | undefined): HTMLElement {
  if (!c) return make("span", "soft", "not looked for");
  const box = make("span", c.count ? "met" : "soft");
  box.append(make("b", "", `${percent(c.chance)} %`), ` (${percent(c.low)}…${percent(c.high)})`);
  return box;
}

/** Chances of what any member met; focus on a name tells its threshold. */
export function chances(result: Result, comparison: Comparison): HTMLElement {
  const names = [...new Set(comparison.options.flatMap((o) => o.chances.map((c) => c.name)))];
  const of = (o: Judged, name: string): Chance | undefined => o.chances.find((c) => c.name === name);
  const met = names.filter((n) => comparison.options.some((o) => of(o, n)?.count));
  const box = make("section", "chances"), told = make("p", "soft", "Focus a complication to read its threshold."), rows: HTMLTableRowElement[] = [];
  told.setAttribute("aria-live", "polite");
  for (const name of met) {
    const made = row("", comparison.options.map((o) => chance(of(o, name)))), button = make("button", "why", name), threshold = result.thresholds[name];
    const tell = (): void => { told.textContent = `${name}: ${threshold?.meaning ?? ""} Source: ${threshold?.source ?? "none"}`; };
    button.type = "button";
    button.addEventListener("focus", tell); button.addEventListener("click", tell); button.addEventListener("pointerenter", tell);
    made.firstElementChild?.append(button);
    rows.push(made);
  }
  box.append(table("Chance of a complication, with its 95 % interval", row("", comparison.options.map((o) => o.name), "th"), rows), told);
  const none = names.filter((n) => !met.includes(n));
  if (none.length) box.append(make("p", "soft", `Met by none of ${comparison.members} members: ${none.join(", ")}.`));
  return box;
}

const interval = ([low, mean, high]: [number, number, number]): string => `${fixed(mean)} (${fixed(low)}…${fixed(high)})`;

export function ranking(result: Result, comparison: Comparison): HTMLElement {
  const sorted = [...comparison.options].sort((a, b) => a.rank - b.rank || a.loss[1] - b.loss[1]);
  const rows = sorted.map((o) => {
    const tied = sorted.filter((p) => p.rank === o.rank).length > 1, choice = result.choices?.find((c) => c.name === o.name);
    const better = o.dominated.length ? `; bettered in everything by ${o.dominated.join(" and ")}` : "", lost = o.lost ? `; ${o.lost} members lost by the model` : "";
    return row(`${o.rank}${tied ? "=" : ""} ${o.name}`, [interval(o.loss), interval(o.regret), `${choice?.verdict ?? "—"}${better}${lost}`]);
  });
  const box = make("section", "ranking");
  box.append(table("Ranking by expected loss (arrest = 100), with the regret of choosing it", row("", ["Expected loss, 95 %", "Expected regret, 95 %", "Under the chances allowed"], "th"), rows));
  box.append(make("p", "soft", "“=”: the members played cannot tell these apart."));
  for (const o of sorted) for (const said of o.against) box.append(make("p", "against", `Against ${o.name}: ${said}.`));
  return box;
}

function difference(d: Difference, unit: Unit | undefined): HTMLTableRowElement {
  const factor = unit?.factor ?? 1, show = (v: number | null): string => said(v === null ? null : v * factor);
  const words = d.noise ? d.why || "within the noise" : `${show(d.median)} ${unit?.unit ?? ""} (${show(d.low)}…${show(d.high)})`;
  return row(`${unit?.label ?? d.measure}, ${d.when}`, [make("span", d.noise ? "soft" : "", words)]);
}

/** Pairs of options, member by member; what says nothing is said to say nothing. */
export function differences(result: Result, comparison: Comparison): HTMLElement {
  const box = make("section", "differences"), pairs = new Map<string, HTMLTableRowElement[]>();
  box.append(make("h3", "", "Paired differences, member by member (measures 90 %, chances 95 %)"));
  const rowsOf = (first: string, second: string): HTMLTableRowElement[] => {
    const key = `${second} less ${first}`, rows = pairs.get(key) ?? [];
    pairs.set(key, rows);
    return rows;
  };
  for (const d of comparison.differences) rowsOf(d.first, d.second).push(difference(d, result.units[d.measure]));
  for (const d of comparison.chance_differences) {
    if (d.low <= 0 && 0 <= d.high) continue;
    rowsOf(d.first, d.second).unshift(row(`chance of ${d.name}`, [`${percent(d.difference)} points (${percent(d.low)}…${percent(d.high)})`]));
  }
  for (const [key, rows] of pairs) {
    const part = make("details"), told = make("summary", "", `${key}: ${rows.filter((r) => !r.querySelector(".soft")).length} beyond the noise of ${rows.length}`);
    part.append(told, table(key, row("", ["difference"], "th"), rows));
    box.append(part);
  }
  return box;
}
