/** What is being edited: options and their acts; every edit is a new draft that can be undone. */
export interface Step { readonly act: string; readonly by: string }
export interface Option { readonly name: string; readonly do: readonly Step[]; readonly against: readonly string[] }
export interface Draft {
  readonly question: string; readonly for: string; readonly before: readonly Step[]; readonly physiology: string;
  readonly version: number; readonly option: readonly Option[];
}
export interface History { readonly present: Draft; readonly past: readonly Draft[]; readonly undone: readonly Draft[] }

const KEPT = 200;
const TIMED = /^(.*?) (?:at|from) ([\d.]+ ?(?:s|min|h))(?= |$)(.*)$/;

const option = (name: string, ...acts: string[]): Option => ({ name, do: acts.map((act) => ({ act, by: "" })), against: [] });

export const FIRST: Draft = {
  question: "What does this circulation need now?", for: "10 min", before: [], physiology: "", version: 1,
  option: [option("watch"), option("fluid", "fluid 500 mL in 10 min at 60 s"), option("norepinephrine", "norepinephrine 0.05 ug/kg/min at 60 s")],
};

export const begin = (present: Draft): History => ({ present, past: [], undone: [] });
export const edit = (h: History, present: Draft): History => ({ present, past: [...h.past, h.present].slice(-KEPT), undone: [] });

export function undo(h: History): History {
  const last = h.past.at(-1);
  return last ? { present: last, past: h.past.slice(0, -1), undone: [...h.undone, h.present] } : h;
}

export function redo(h: History): History {
  const next = h.undone.at(-1);
  return next ? { present: next, past: [...h.past, h.present], undone: h.undone.slice(0, -1) } : h;
}

/** What is done, and when, of an act as it is said. */
export function parted(act: string): { what: string; at: string } {
  const found = TIMED.exec(act.trim());
  return found ? { what: `${found[1] ?? ""}${found[3] ?? ""}`, at: found[2] ?? "0 s" } : { what: act.trim(), at: "0 s" };
}

export const joined = (what: string, at: string): string => `${what.trim()} at ${at.trim() || "0 s"}`;

export const withOption = (d: Draft, i: number, change: (o: Option) => Option): Draft => ({ ...d, option: d.option.map((o, k) => (k === i ? change(o) : o)) });
export const withSteps = (d: Draft, i: number, change: (s: readonly Step[]) => readonly Step[]): Draft => withOption(d, i, (o) => ({ ...o, do: change(o.do) }));

/** A name that no option has yet. */
export function freeName(d: Draft): string {
  const taken = new Set(d.option.map((o) => o.name.toLowerCase()));
  for (let k = d.option.length + 1; ; k++) if (!taken.has(`option ${k}`)) return `option ${k}`;
}

const told = (o: Option): string => o.do.map((s) => `${s.act}${s.by ? ` (${s.by})` : ""}`).join("; ") || "no act";

/** What another draft has that this one has not, in sentences. */
export function changes(from: Draft, to: Draft): string[] {
  const out: string[] = [], before = (d: Draft): string => d.before.map((s) => s.act).join("; ") || "nothing";
  if (from.question !== to.question) out.push(`The question is now “${to.question}”.`);
  if (from.for !== to.for) out.push(`It is played for ${to.for}, before for ${from.for}.`);
  if (before(from) !== before(to)) out.push(`What is so already: ${before(to)}.`);
  for (const o of to.option) {
    const old = from.option.find((p) => p.name === o.name);
    if (!old) out.push(`New option “${o.name}”: ${told(o)}.`);
    else if (told(old) !== told(o)) out.push(`“${o.name}” is now: ${told(o)}.`);
  }
  for (const o of from.option) if (!to.option.some((p) => p.name === o.name)) out.push(`Option “${o.name}” is gone.`);
  return out;
}
