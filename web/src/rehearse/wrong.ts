/** What cannot be stands beside its field, and the field says so to those who do not see it. */
import { make } from "../page";
import type { Checked } from "./api";

/** A place for what is wrong with a part of the rehearsal, read with these fields. */
export function wrongOf(part: string, ...fields: HTMLElement[]): HTMLElement {
  const told = make("p", "wrong");
  told.id = `wrong-${part.replaceAll(" ", "-")}`;
  told.dataset["part"] = part;
  told.setAttribute("role", "alert");
  for (const field of fields) field.setAttribute("aria-describedby", told.id);
  return told;
}

/** Says it; nothing where all is well. What is `odd` only can be, and is asked about. */
export function say(told: HTMLElement, words: string, odd = ""): void {
  const said = words || odd;
  if (told.textContent !== said) told.textContent = said;
  told.classList.toggle("odd", words === "" && odd !== "");
  for (const field of document.querySelectorAll(`[aria-describedby="${told.id}"]`)) field.setAttribute("aria-invalid", String(words !== ""));
}

/** Puts every sentence at its part; what has no place of its own is told where the whole is. */
export function place(root: HTMLElement, { wrong, unusual }: Checked): void {
  for (const told of root.querySelectorAll<HTMLElement>(".wrong[data-part]")) {
    const part = told.dataset["part"] ?? "";
    say(told, wrong[part] ?? "", unusual[part]);
  }
}
