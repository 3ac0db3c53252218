/** For the person: the same numbers in plain words, never more certain than they are. */
import type { State, Twin } from "../messages";
import { byId, make } from "../page";

const whole = (x: number): string => x.toFixed(0), tenth = (x: number): string => x.toFixed(1);

/** A sentence each: what, how much, and how we know. */
export function sentences(s: State | null, t: Twin | null): [title: string, words: string, how: "measured" | "twin"][] {
  const out: [string, string, "measured" | "twin"][] = [], n = t?.numbers ?? {};
  if (s?.hr) out.push(["Your heartbeat", `Your heart beats ${whole(s.hr.value)} times a minute.`, "measured"]);
  if (s?.pressure) out.push(["Your blood pressure", `${whole(s.pressure.systolic)} over ${whole(s.pressure.diastolic)}: the push of your blood when the heart squeezes, and when it rests.`, "measured"]);
  const oxygen = Object.entries(t?.readings ?? {}).find(([key]) => key.startsWith("oxygen_saturation@"))?.[1];
  if (oxygen) out.push(["Oxygen", `Of the places for oxygen in your blood, ${whole(oxygen.value)} in 100 are filled.`, "measured"]);
  const stroke = n["stroke_volume"], output = n["cardiac_output"], ejected = n["left_ventricular_ejection_fraction"];
  if (stroke) out.push(["One beat", `Each beat sends out about ${whole(stroke.value)} mL of blood; we are 90 % sure it is between ${whole(stroke.low)} and ${whole(stroke.high)}.`, "twin"]);
  if (output) out.push(["One minute", `That makes about ${tenth(output.value)} litres a minute, between ${tenth(output.low)} and ${tenth(output.high)}.`, "twin"]);
  if (ejected) out.push(["How it empties", `The left chamber sends out about ${whole(ejected.value)} of every 100 mL it holds, between ${whole(ejected.low)} and ${whole(ejected.high)}.`, "twin"]);
  return out;
}

export function showPerson(s: State | null, t: Twin | null): void {
  const rows = sentences(s, t).map(([title, words, how]) => {
    const box = make("article", how);
    box.append(make("h3", "", title), make("p", "how", how === "measured" ? "measured on you" : "worked out by your twin, a model of you"), make("p", "words", words));
    return box;
  });
  byId("person").replaceChildren(...rows);
}
