/** The tour: one story, in stops beside what each tells of. Nothing is held back meanwhile; Escape leaves it. */
import { byId, make, text } from "../page";
import type { Draft } from "../rehearse/draft";
import { done } from "./demo";

interface Stop { at: string; title: string; words: string; view?: string; does?: [label: string, act: () => Promise<string>] }
interface Asked { rehearsal: Draft; moved: string }

async function asked(): Promise<Asked> {
  const answer = await fetch("./demo/rehearsal");
  if (!answer.ok) throw new Error(((await answer.json()) as { error: string }).error);
  return (await answer.json()) as Asked;
}

function bring(draft: Draft, said: string): string {
  document.dispatchEvent(new CustomEvent("rehearsal", { detail: JSON.stringify(draft) }));
  return said;
}

function press(id: string, said: string): string {
  document.getElementById(id)?.click();
  return said;
}

async function moved(): Promise<string> {
  const { rehearsal, moved } = await asked();
  return bring({ ...rehearsal, before: [{ act: moved, by: "" }] }, `What if: ${moved}. Press Rehearse.`);
}

const BEDSIDE: Stop[] = [
  { at: ".traces", title: "What the sensors say", words: "ECG, arterial pressure and pulse run 0.6 s behind the patient, so that every beat is decided before it is drawn." },
  { at: ".stage", title: "The heart, in step", words: "A twin fitted to this patient beats on the same axis as the traces. Turn it with the arrow keys; cut it, colour it, name its parts." },
  { at: ".numbers", title: "Measured, and worked out", words: "Filled tiles were measured. Outlined tiles marked “twin” are the model's, each with the interval it is 90 % sure of." },
  { at: ".below", title: "What is to come", words: "The pressure–volume loop with its band, and what the twin expects over 30 min if nothing is done." },
];
const SEALED: Stop = {
  at: "header", title: "A patient, and a sealed truth",
  words: "Someone of 78 years with a narrow aortic valve is simulated here. Their true resistance, contractility, blood volume and aortic root were sealed by a hash before you came:",
};
const STORY: Stop[] = [
  { at: ".tools-bar", view: "rehearse", title: "Three ways", words: "A heart team compares a surgical valve, a transcatheter valve, and that valve with the left coronary stented. Take them, guess first if you like (Own estimate), then press Rehearse: 128 members of the twin's belief play all three.", does: ["Take the three ways", async () => bring((await asked()).rehearsal, "There they are. Your own guess first?")] },
  { at: ".options", view: "rehearse", title: "In this anatomy the second fails", words: "CT saw the left coronary low, in a narrow sinus. Opened there, the frame presses a leaflet onto its ostium: see the chance of “coronary obstructed”, and of the heart starving behind it. The distance in mm stands with what speaks against it.", does: ["Rehearse", async () => press("r-rehearse", "They play.")] },
  { at: ".options", view: "rehearse", title: "Move one coronary", words: "What if it left 14 mm above the annulus? That is hypothetical, and said so. Everything else is the same: members, acts, physics. Rehearse again, and look at the second.", does: ["Move it to 14 mm", moved] },
  { at: ".bar", view: "bedside", title: "Sensor?", words: "The pressure's transducer sinks by 20 cm: the line reads 15 mmHg too high, the patient is the same. The page compares it with the cuff, and within a minute says “sensor”.", does: ["Lower the transducer 20 cm", () => done("lower the transducer 20 cm")] },
  { at: ".bar", view: "bedside", title: "Or patient?", words: "Level it again and bleed the patient. Cuff, line and pulse now move together, and the page says “patient”: in minutes, since a cuff reads once a minute and reflexes hide a loss at first. Go on meanwhile.", does: ["Level it, then bleed 800 mL", async () => `${await done("level the transducer")}. ${await done("bleed 800 mL in 10 min")}`] },
  { at: "#b-demo", view: "bedside", title: "Unseal the truth", words: "Now look at what was true, beside what twin and CT held it for. The misses are marked, and the hash is checked here, in your browser.", does: ["Unseal", async () => press("b-unseal", "There it is.")] },
];
let stops: Stop[] = [], at = 0;

/** Marks what the stop tells of; a room that is still being opened is marked once something is done. */
function mark(): void {
  document.querySelectorAll(".toured").forEach((e) => e.classList.remove("toured"));
  const found = stops[at];
  if (found) [...document.querySelectorAll<HTMLElement>(found.at)].find((e) => !e.hidden)?.classList.add("toured");
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

async function act(): Promise<void> {
  try { text("tour-said", await stops[at]?.does?.[1]() ?? ""); } catch (fault) { text("tour-said", fault instanceof Error ? fault.message : String(fault)); }
  mark();
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
