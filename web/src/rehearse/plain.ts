/** What a comparison tells in sentences: what is better, by how much, how sure, and what choosing wrong costs. */
import type { ChanceDifference, Comparison, Judged } from "./api";
import { fixed, percent } from "./figures";

type Triple = readonly [number, number, number];

export const interval = ([low, mean, high]: Triple): string => `${fixed(mean)} (${fixed(low)} to ${fixed(high)})`;
const listed = (words: string[]): string => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`);
const quoted = (options: readonly Judged[]): string => listed(options.map((o) => `“${o.name}”`));

/** Options by rank; within a rank by what is expected. */
export const byRank = (comparison: Comparison): Judged[] => [...comparison.options].sort((a, b) => a.rank - b.rank || a.loss[1] - b.loss[1]);

/** The answer in one or two sentences, before any number is looked at. */
export function headline(comparison: Comparison): string {
  const sorted = byRank(comparison), first = sorted.filter((o) => o.rank === sorted[0]?.rank), rest = sorted.slice(first.length), n = comparison.members;
  const [best] = sorted;
  if (!best) return "";
  if (!rest.length && sorted.every((o) => o.loss[1] === 0)) return `Nothing that is looked for went wrong in any of ${n} members, whatever is done: compare the courses.`;
  if (!rest.length) return `None is surely better: they differ within the noise of ${n} members. The least is expected to go wrong with “${best.name}”.`;
  const cost = `Expected regret of choosing ${listed(rest.map((o) => `“${o.name}”: ${interval(o.regret)}`))}, where an arrest counts 100.`;
  return first.length === 1 ? `“${best.name}” is surely better than ${quoted(rest)}. ${cost}` : `${quoted(first)} are within the noise of each other, and surely better than ${quoted(rest)}. ${cost}`;
}

/** Chances of `name` less those of `than`, seen from `name`: beyond the noise only, largest first. */
export function beyond(comparison: Comparison, name: string, than: string): ChanceDifference[] {
  return comparison.chance_differences
    .filter((d) => (d.first === name && d.second === than) || (d.first === than && d.second === name))
    .filter((d) => d.low > 0 || d.high < 0)
    .map((d) => (d.second === name ? d : { ...d, first: than, second: name, low: -d.high, difference: -d.difference, high: -d.low }))
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference));
}

/** How one option differs from another in what may go wrong, in a sentence each. */
export function against(comparison: Comparison, name: string, than: string): string[] {
  const surely = beyond(comparison, name, than).map((d) => {
    const [more, low, high] = d.difference > 0 ? ["more", d.low, d.high] : ["less", -d.high, -d.low];
    return `${d.name} in ${percent(Math.abs(d.difference))} of 100 ${more} (${percent(low)} to ${percent(high)})`;
  });
  return surely.length ? [...surely, "everything else is within the noise"] : ["every complication is within the noise"];
}

/** How sure a place is. */
export function place(comparison: Comparison, option: Judged): string {
  const shared = comparison.options.filter((o) => o.rank === option.rank);
  if (shared.length > 1) return "within the noise of the others of this place";
  return option.rank === 1 ? "surely first" : "surely after those above";
}
