/** What the futures tell side by side: the ranking with its regret, chances, paired differences. */
import { make } from "../page";
import type { Chance, Comparison, Difference, Judged, Result, Unit } from "./api";
import { clock, percent, said } from "./figures";
import { colourOf, named } from "./mark";
import { against, byRank, interval, place } from "./plain";

type Cell = string | HTMLElement;

function row(head: Cell, cells: Cell[], group: "th" | "td" = "td"): HTMLTableRowElement {
  const made = make("tr"), first = make("th");
  first.scope = group === "th" ? "col" : "row";
  first.append(head);
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

const placeOf = (comparison: Comparison, name: string): number => comparison.options.findIndex((o) => o.name === name);
const marked = (comparison: Comparison, name: string): HTMLElement => named(placeOf(comparison, name), name);

function chance(c: Chance | undefined): HTMLElement {
  if (!c) return make("span", "soft", "not looked for");
  const box = make("span", c.count ? "met" : "soft");
  box.append(make("b", "", `${percent(c.chance)} %`), ` (${percent(c.low)} to ${percent(c.high)})`);
  if (c.first !== null && c.count) box.append(make("small", "", `from ${clock(c.first)}`));
  return box;
}

/** Chances of what any member met; focus on a name tells its threshold. */
export function chances(result: Result, comparison: Comparison): HTMLElement {
  const names = [...new Set(comparison.options.flatMap((o) => o.chances.map((c) => c.name)))];
  const of = (o: Judged, name: string): Chance | undefined => o.chances.find((c) => c.name === name);
  const met = names.filter((n) => comparison.options.some((o) => of(o, n)?.count));
  const box = make("section", "chances"), told = make("p", "soft", "Focus a complication to read what counts as one."), rows: HTMLTableRowElement[] = [];
  told.setAttribute("aria-live", "polite");
  for (const name of met) {
    const button = make("button", "why", name), threshold = result.thresholds[name];
    const tell = (): void => { told.textContent = threshold ? `${name}: ${threshold.meaning} Source: ${threshold.source}` : `${name}: play it again to read what counts as one.`; };
    button.type = "button";
    button.addEventListener("focus", tell); button.addEventListener("click", tell); button.addEventListener("pointerenter", tell);
    rows.push(row(button, comparison.options.map((o) => chance(of(o, name)))));
  }
  if (!rows.length) rows.push(row("any of these", comparison.options.map(() => make("span", "soft", `none of ${comparison.members} members`))));
  box.append(make("h2", "", "What may go wrong"), table("Members of 100 that meet it, with the 95 % interval, and when half of those do", row("", comparison.options.map((o, i) => named(i, o.name)), "th"), rows));
  if (met.length) box.append(told);
  const none = names.filter((n) => !met.includes(n));
  if (none.length) box.append(make("p", "soft", `Met by none of ${comparison.members} members: ${none.join(", ")}.`));
  return box;
}

const VERDICTS: Record<string, string> = {
  acceptable: "acceptable: every chance is surely within what is allowed", unacceptable: "not acceptable: a chance is surely above what is allowed",
  open: "open: more members, or a measurement, would tell whether the chances are within what is allowed",
};

/** One option in words, compared with the first of the ranking. */
function inWords(result: Result, comparison: Comparison, option: Judged, best: Judged): HTMLElement {
  const list = make("ul"), choice = result.choices?.find((c) => c.name === option.name);
  const say = (line: string, kind = ""): void => list.append(make("li", kind, line));
  if (option !== best) say(`Beside ${best.name}: ${against(comparison, option.name, best.name).join("; ")}.`);
  if (choice) say(`${(VERDICTS[choice.verdict] ?? choice.verdict).replace(/^./, (c) => c.toUpperCase())}.`);
  if (option.dominated.length) say(`Bettered in everything by ${option.dominated.join(" and ")}.`);
  if (option.lost) say(`The model lost ${option.lost} of its members: they count nowhere.`);
  for (const line of option.against) say(`Against ${option.name}: ${line}.`, "against");
  return list;
}

/** A mean with its interval on an axis that all options share. */
function bar(of: readonly [number, number, number], most: number, colour: string): HTMLElement {
  const box = make("span", "bar-of"), range = make("i"), dot = make("b"), at = (v: number): string => `${(100 * v) / most}%`;
  range.style.left = at(of[0]); range.style.width = at(of[2] - of[0]); dot.style.left = at(of[1]);
  range.style.background = dot.style.background = colour;
  box.append(range, dot);
  box.setAttribute("aria-hidden", "true");
  return box;
}

export function ranking(result: Result, comparison: Comparison): HTMLElement {
  const sorted = byRank(comparison), [best] = sorted, box = make("section", "ranking");
  const most = Math.max(1, ...sorted.flatMap((o) => [o.loss[2], o.regret[2]]));
  const rows = sorted.map((o) => {
    const shared = sorted.filter((p) => p.rank === o.rank).length > 1, head = make("div"), colour = colourOf(placeOf(comparison, o.name));
    head.append(make("b", "place", `${o.rank}${shared ? "=" : ""}`), marked(comparison, o.name), make("small", "", place(comparison, o)));
    const cell = (of: readonly [number, number, number]): HTMLElement => { const c = make("div", "barred"); c.append(interval(of), bar(of, most, colour)); return c; };
    return row(head, [cell(o.loss), cell(o.regret), best ? inWords(result, comparison, o, best) : ""]);
  });
  box.append(make("h2", "", "Which is better, by how much, and how sure"), table("Expected loss adds what goes wrong, an arrest counting 100; expected regret is what choosing this one costs beyond the best choice for each member. Means with their 95 % intervals.", row("Place", ["Expected loss", "Expected regret", "In words"], "th"), rows));
  if (sorted.some((o) => sorted.filter((p) => p.rank === o.rank).length > 1)) box.append(make("p", "soft", "“=” shares a place: the members played cannot tell these apart, they are within the noise."));
  return box;
}

function difference(d: Difference, unit: Unit | undefined): HTMLTableRowElement {
  const factor = unit?.factor ?? 1, show = (v: number | null): string => said(v === null ? null : v * factor);
  const words = d.noise ? d.why || "within the noise" : `${show(d.median)} ${unit?.unit ?? ""} (${show(d.low)} to ${show(d.high)})`;
  return row(`${unit?.label ?? d.measure}, ${d.when}`, [make("span", d.noise ? "soft" : "", words)]);
}

/** Pairs of options, member by member; what says nothing is said to say nothing. */
export function differences(result: Result, comparison: Comparison): HTMLElement {
  const box = make("section", "differences"), pairs = new Map<string, { first: string; second: string; rows: HTMLTableRowElement[] }>();
  box.append(make("h2", "", "Differences, member by member"));
  const rowsOf = (first: string, second: string): HTMLTableRowElement[] => {
    const key = JSON.stringify([first, second]), pair = pairs.get(key) ?? { first, second, rows: [] };
    pairs.set(key, pair);
    return pair.rows;
  };
  for (const d of comparison.differences) rowsOf(d.first, d.second).push(difference(d, result.units[d.measure]));
  for (const d of comparison.chance_differences) {
    if (d.low <= 0 && 0 <= d.high) continue;
    rowsOf(d.first, d.second).unshift(row(`chance of ${d.name}`, [`${percent(d.difference)} points (${percent(d.low)} to ${percent(d.high)})`]));
  }
  for (const { first, second, rows } of pairs.values()) {
    const part = make("details"), told = make("summary"), real = rows.filter((r) => !r.querySelector(".soft")).length;
    told.append(marked(comparison, second), " less ", marked(comparison, first), `: ${real} of ${rows.length} beyond the noise`);
    part.append(told, table(`${second} less ${first}: measures with 90 % of the members, chances with 95 % intervals`, row("", ["difference"], "th"), rows));
    box.append(part);
  }
  return box;
}
