/** A short tour: five stops, each beside what it tells of; Escape leaves it. */
import { byId, text } from "../page";

const STOPS: [target: string, title: string, words: string][] = [
  [".traces", "What the sensors say", "ECG, arterial pressure and pulse run 0.6 s behind the patient, so that every beat is decided before it is drawn."],
  [".stage", "The heart, in step", "A twin fitted to this patient beats on the same axis as the traces. Turn it with the arrow keys; cut it, colour it, name its parts."],
  [".numbers", "Measured, and worked out", "Filled tiles were measured. Outlined tiles marked “twin” are the model's, each with the interval it is 90 % sure of."],
  [".below", "What is to come", "The pressure–volume loop with its band, and what the twin expects over 30 min if nothing is done."],
  ["#b-demo, nav.views", "Try it", "Press D: bleed the simulated patient, or lower a transducer, and see whether the page says patient or sensor. Then unseal the truth and count the misses."],
];
let at = 0;

function stop(next: number): void {
  at = next;
  document.querySelectorAll(".toured").forEach((e) => e.classList.remove("toured"));
  const found = STOPS[at];
  if (!found) { byId<HTMLDialogElement>("tour").close(); return; }
  [...document.querySelectorAll<HTMLElement>(found[0])].find((e) => !e.hidden)?.classList.add("toured");
  text("tour-title", `${at + 1} of ${STOPS.length}: ${found[1]}`);
  text("tour-words", found[2]);
  text("tour-next", at + 1 < STOPS.length ? "Next" : "Done");
}

export function startTour(): void {
  location.hash = "bedside";
  const dialog = byId<HTMLDialogElement>("tour");
  if (!dialog.open) dialog.showModal();
  stop(0);
}

export function prepareTour(): void {
  byId("tour-next").addEventListener("click", () => stop(at + 1));
  byId("tour-skip").addEventListener("click", () => stop(STOPS.length));
  byId("tour").addEventListener("close", () => stop(STOPS.length));
}
