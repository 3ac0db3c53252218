/** Forms in which a clinician says who they are: the own estimate, the signature, the rejection. */
import { make } from "../page";

/** What is sent, and how it is called where that differs. */
export type Choice = string | readonly [sent: string, called: string];
export interface Asked { name: string; label: string; value?: string; choices?: readonly Choice[] }

/** A dialog with fields; it stays open, and says why, where `done` is refused. */
export function ask(root: HTMLElement, title: string, words: string, fields: Asked[], verb: string, done: (said: Record<string, string>) => Promise<void>): void {
  const dialog = make("dialog", "asked"), form = make("form"), fault = make("p", "fault"), actions = make("div", "row"), yes = make("button", "main", verb), no = make("button", "", "Cancel"), back = document.activeElement;
  dialog.setAttribute("aria-label", title);
  fault.setAttribute("role", "alert");
  no.type = "button";
  form.append(make("h2", "", title), make("p", "", words));
  for (const field of fields) {
    const label = make("label", "", field.label), input = field.choices ? make("select") : make("input");
    if (input instanceof HTMLSelectElement) input.append(...(field.choices ?? []).map((c) => (typeof c === "string" ? new Option(c, c) : new Option(c[1], c[0]))));
    input.name = field.name;
    if (field.value) input.value = field.value;
    label.append(input);
    form.append(label);
  }
  actions.append(yes, no);
  form.append(fault, actions);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, String(v)]));
    done(said).then(() => dialog.close(), (error: unknown) => { fault.textContent = error instanceof Error ? error.message : String(error); });
  });
  no.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { dialog.remove(); if (back instanceof HTMLElement) back.focus(); });
  dialog.append(form);
  root.append(dialog);
  dialog.showModal();
}
