/** The tour: one story, in stops beside what each tells of. Nothing is held back meanwhile; Escape leaves it. */
import { byId, make, text } from "../page";
import type { Draft } from "../rehearse/draft";
import { seconds } from "../words";
import { done } from "./demo";

/** `at`: what it tells of, the first of these that is there; `does` may say something before it is done. */
interface Stop { at: string[]; title: string; words: string; view?: string; does?: [label: string, act: (say: (words: string) => void) => Promise<string>] }
interface Asked { rehearsal: Draft; moved: string }
const BLEED = "bleed 1500 mL in 5 min", OBSTRUCTED = "coronary obstructed", LOOK = 250; // [ms] between two looks at what the page says by itself

async function until(there: () => boolean): Promise<void> {
  while (!there()) await new Promise((go) => setTimeout(go, LOOK));
}

async function asked(): Promise<Asked> {
  const answer = await fetch("./demo/rehearsal");
  if (!answer.ok) throw new Error(((await answer.json()) as { error: string }).error);
  return (await answer.json()) as Asked;
}

const written = (selector: string): string[] => [...document.querySelectorAll<HTMLInputElement>(`#view-rehearse ${selector}`)].map((e) => e.value);
/** Whether the room holds it; an act that is so already may be written otherwise there. */
const held = (d: Draft): boolean => written(".options .name").join() === d.option.map((o) => o.name).join() && (written(".head-before input").join() === "") === (d.before.length === 0);

async function bring(draft: Draft): Promise<void> {
  const fault = (): string => document.querySelector("#view-rehearse .fault")?.textContent ?? "";
  await until(() => document.getElementById("acts-known") !== null); // the room is fetched when first opened
  if (held(draft)) return;
  document.dispatchEvent(new CustomEvent("rehearsal", { detail: JSON.stringify(draft) }));
  await until(() => held(draft) || fault() !== "");
  if (!held(draft)) throw new Error(fault());
}

/** Plays what stands there, and says what the page's own table then says of the coronary. */
async function played(): Promise<string> {
  const progress = document.querySelector<HTMLElement>("#view-rehearse progress")!;
  byId("r-rehearse").click();
  await until(() => progress.hidden !== false);
  const table = document.querySelector<HTMLTableElement>(".results .chances table");
  if (!table) return "Nothing was played: the room says why.";
  table.closest(".chances")?.scrollIntoView(); // what is told of, wherever among the results it stands
  const cells = (row: HTMLTableRowElement): string[] => [...row.cells].map((c) => c.querySelector("b, button")?.textContent ?? c.textContent ?? "");
  const [, ...names] = cells(table.rows[0]!), found = [...table.tBodies[0]!.rows].map(cells).find(([name]) => name === OBSTRUCTED);
  return found ? `Chance of “${OBSTRUCTED}”: ${names.map((name, i) => `${name} ${found[i + 1]}`).join("; ")}.` : `“${OBSTRUCTED}” is met by none, whichever valve.`;
}

/** What the bar finds that it did not find before: sensor or patient. */
async function verdict(kind: "sensor" | "patient", act: () => Promise<string>, say: (words: string) => void): Promise<string> {
  const found = (): string[] => [...document.querySelectorAll(`#findings .${kind} span`)].map((e) => e.textContent ?? "");
  const before = new Set(found()), began = performance.now();
  say(`${await act()}. What will the page say?`);
  await until(() => found().some((words) => !before.has(words)));
  return `The page says “${kind}”, after ${seconds((performance.now() - began) / 1000)}.`;
}

const BEDSIDE: Stop[] = [
  { at: [".traces"], title: "What the sensors say", words: "ECG, arterial pressure and pulse run 0.6 s behind the patient, so that every beat is decided before it is drawn." },
  { at: [".stage"], title: "The heart, in step", words: "A twin fitted to this patient beats on the same axis as the traces. Turn it with the arrow keys; cut it, colour it, name its parts." },
  { at: [".numbers"], title: "Measured, and worked out", words: "Filled tiles were measured. Outlined tiles below “Twin” are the model's, each with the interval it is 90 % sure of." },
  { at: [".below"], title: "What is to come", words: "The pressure–volume loop, pale ones for what else the twin holds possible, and what it expects over 30 min if nothing is done." },
];
const SEALED: Stop = {
  at: ["header"], title: "A patient, and a sealed truth",
  words: "Someone of 78 years with a narrow aortic valve is simulated here. Their true resistance, contractility, blood volume and aortic root were sealed by a hash before you came:",
};
const SHOWN = [".results .chances", ".options"];
const STORY: Stop[] = [
  { at: [".tools-bar"], view: "rehearse", title: "Three ways", words: "A heart team compares a surgical valve, a transcatheter valve, and that valve with the left coronary stented. CT saw the left coronary leave low, in a narrow sinus. Take the three ways, and guess: “Own estimate” keeps your guess.",
    does: ["Take the three ways", async () => { await bring((await asked()).rehearsal); return "There they are. Which one fails?"; }] },
  { at: SHOWN, view: "rehearse", title: "One of them fails here", words: "Members of the twin's belief now play all three. Opened in this root, a transcatheter frame may press a leaflet onto the ostium of the left coronary, and the heart behind it starves.",
    does: ["Rehearse", async (say) => {
      const { rehearsal } = await asked();
      await bring(rehearsal);
      say("They play. The first results come within seconds …");
      return played();
    }] },
  { at: SHOWN, view: "rehearse", title: "Move one coronary", words: "What if the left coronary left 14 mm above the annulus? That is hypothetical, and the answer says so. Members, acts and physics stay the same.",
    does: ["Move it to 14 mm, rehearse", async (say) => {
      const { rehearsal, moved } = await asked();
      await bring({ ...rehearsal, before: [{ act: moved, by: "" }] });
      say(`What if: ${moved}. They play …`);
      return played();
    }] },
  { at: [".bar"], view: "bedside", title: "Sensor?", words: "The transducer of the arterial line sinks by 20 cm: it reads 15 mmHg too high, and the patient is the same. A pressure that steps while pulse and heart rate do not is no patient's: within a minute the page says so.",
    does: ["Lower the transducer 20 cm", (say) => verdict("sensor", () => done("lower the transducer 20 cm"), say)] },
  { at: [".bar"], view: "bedside", title: "Or patient?", words: "Level it again, and bleed the patient. Reflexes hide a loss at first; then pressure, pulse and rate move together, and within minutes the page says “patient”. Nothing is held back if you go on meanwhile.",
    does: ["Level it, then bleed", (say) => verdict("patient", async () => `${await done("level the transducer")}. ${await done(BLEED)}`, say)] },
  { at: ["#demo[open]", "#b-demo"], view: "bedside", title: "Unseal the truth", words: "Now look at what was true, beside what twin and CT held it for. The misses are marked, and the hash is checked here, in your browser.",
    does: ["Unseal", async () => { byId("b-unseal").click(); return "There it is."; }] },
];
let stops: Stop[] = [], at = 0;

/** Marks what the stop tells of, and stands aside of it; a room that is still being opened is marked once something is done. */
function mark(): void {
  document.querySelectorAll(".toured").forEach((e) => e.classList.remove("toured"));
  const found = stops[at]?.at.map((s) => document.querySelector<HTMLElement>(s)).find((e) => e && !e.hidden);
  found?.classList.add("toured");
  const { left = 0, width = innerWidth } = found?.getBoundingClientRect() ?? {};
  byId("tour").dataset["side"] = left + width / 2 > 0.6 * innerWidth ? "left" : "right";
}

function stop(next: number): void {
  at = next;
  mark();
  const found = stops[at];
  if (!found) { byId<HTMLDialogElement>("tour").close(); return; }
  location.hash = found.view ?? "bedside";
  text("tour-title", `${at + 1} of ${stops.length}: ${found.title}`);
  text("tour-words", found.words);
  if (found === SEALED) byId("tour-words").append(" ", make("code", "", byId("seal").textContent ?? ""));
  const does = byId("tour-do");
  does.hidden = !found.does;
  does.textContent = found.does?.[0] ?? "";
  text("tour-said", "");
  text("tour-next", at + 1 < stops.length ? "Next" : "Done");
}

/** What is said of a stop that was left meanwhile is said no more. */
async function act(): Promise<void> {
  const here = at, say = (words: string): void => { if (at === here) text("tour-said", words); };
  try { say(await stops[here]?.does?.[1](say) ?? ""); } catch (fault) { say(fault instanceof Error ? fault.message : String(fault)); }
  if (at === here) mark();
}

/** Begins it; the story of the sealed patient is told where there is one. */
export function startTour(): void {
  const dialog = byId<HTMLDialogElement>("tour");
  stops = byId("b-demo").hidden ? BEDSIDE : [SEALED, ...BEDSIDE, ...STORY];
  if (!dialog.open) dialog.show();
  byId("tour-next").focus();
  stop(0);
}

export function prepareTour(): void {
  byId("tour-next").addEventListener("click", () => stop(at + 1));
  byId("tour-do").addEventListener("click", () => void act());
  byId("tour-skip").addEventListener("click", () => stop(stops.length));
  byId("tour").addEventListener("close", () => { at = stops.length; mark(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && byId<HTMLDialogElement>("tour").open) stop(stops.length); });
}
