/** For the person: the same numbers in plain words, never more certain than they are; and who worked with them. */
import type { State, Twin } from "../messages";
import { byId, make } from "../page";
import { seconds } from "../words";
import { get, type Case, type Listed } from "../rehearse/api";

const whole = (x: number): string => x.toFixed(0), tenth = (x: number): string => x.toFixed(1);
const could = (low: string, high: string): string => `We are quite sure (9 times in 10) that it is between ${low} and ${high}.`;

const WORKED_OUT = "worked out, not measured";
const measured = (age: number | null): string => `measured on you ${age === null || age < 5 ? "just now" : `${seconds(age)} ago`}`;

/** A sentence each: what, how much, and how we know. */
export function sentences(s: State | null, t: Twin | null): [title: string, words: string, how: string][] {
  const out: [string, string, string][] = [], n = t?.numbers ?? {};
  if (s?.hr) out.push(["Heartbeat", `Your heart beats ${whole(s.hr.value)} times a minute.`, measured(s.beat_age)]);
  if (s?.pressure) out.push(["Blood pressure", `${whole(s.pressure.systolic)} over ${whole(s.pressure.diastolic)}. The push of your blood when the heart squeezes, and when it rests, in mmHg.`, measured(s.pressure.age)]);
  const oxygen = Object.entries(t?.readings ?? {}).find(([key]) => key.startsWith("oxygen_saturation@"))?.[1];
  if (oxygen) out.push(["Oxygen", `Your blood ${oxygen.stale ? "carried" : "carries"} ${whole(oxygen.value)} of every 100 parts of oxygen that it could carry.`, measured(oxygen.age)]);
  const stroke = n["stroke_volume"], output = n["cardiac_output"], ejected = n["left_ventricular_ejection_fraction"];
  if (stroke) out.push(["One beat", `Each beat sends out about ${whole(stroke.value)} millilitres of blood. ${could(whole(stroke.low), whole(stroke.high))}`, WORKED_OUT]);
  if (output) out.push(["One minute", `In a minute that makes about ${tenth(output.value)} litres. ${could(tenth(output.low), tenth(output.high))}`, WORKED_OUT]);
  if (ejected) out.push(["How well it empties", `Your main pumping chamber sends out about ${whole(ejected.value)} of every 100 drops in it. ${could(whole(ejected.low), whole(ejected.high))}`, WORKED_OUT]);
  return out;
}

let shown = "";
export function showPerson(s: State | null, t: Twin | null): void {
  const all = sentences(s, t), key = all.flat().join();
  if (key === shown) return;
  shown = key;
  byId("person").replaceChildren(...all.map(([title, words, how]) => {
    const box = make("article", how === WORKED_OUT ? "twin" : "measured");
    box.append(make("h3", "", title), make("p", "how", how), make("p", "words", words));
    return box;
  }));
}

const DONE: Record<string, string> = { signed: "signed the plan", rejected: "turned the plan down", reviewed: "read through the plan" };

/** Who, what and why of one rehearsal: only those who gave a name. */
export function looksOf(c: Case): string[] {
  const why = c.rehearsal.question ? `, to answer: “${c.rehearsal.question}”` : "", done = c.evidence?.by ? [`${c.evidence.by.name} (${c.evidence.by.qualification}) ${DONE[c.evidence.status] ?? "worked on the plan"}${why}`] : [];
  return [...c.estimates.map((e) => `${e.by} gave an opinion${why}`), ...done];
}

/** Asked when the view is opened: what the rehearsal room has kept, under whose name. */
export async function showLooks(): Promise<void> {
  const said: string[] = [];
  try {
    const { rehearsals } = await get<Listed>("");
    for (const { id } of rehearsals) said.push(...looksOf(await get<Case>(`/${encodeURIComponent(id)}`)));
    if (!said.length) said.push("Nobody has put a name to work with your data here.");
  } catch (fault) {
    said.push(`This could not be asked now: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
  said.push("This page has no sign-in, so it cannot tell who only looked at it.");
  byId("looks").replaceChildren(...said.map((words) => make("li", "", words)));
}
