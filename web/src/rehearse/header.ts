/** What is asked: the question, for how long it is played, and what is so already before the first act. */
import { make } from "../page";
import type { Change } from "./column";

import type { Draft } from "./draft";

const LINE = "; ";

export function header(draft: Draft, change: Change): HTMLElement[] {
  const put = (name: string, label: string, value: string, heard: (said: string) => (d: Draft) => Draft): HTMLElement => {
    const box = make("label", `head-${name}`, label), input = make("input");
    input.value = value;
    input.setAttribute("aria-label", label);
    input.addEventListener("change", () => change(heard(input.value.trim()), true));
    box.append(input);
    return box;
  };
  return [
    put("question", "Question", draft.question, (said) => (d) => ({ ...d, question: said })),
    put("for", "Played for", draft.for, (said) => (d) => ({ ...d, for: said })),
    put("before", "So already, acts parted by ;", draft.before.map((s) => s.act).join(LINE), (said) => (d) => ({ ...d, before: steps(said, d) })),
  ];
}

/** Who does an act that stays keeps doing it. */
function steps(said: string, draft: Draft): Draft["before"] {
  return said.split(";").map((act) => act.trim()).filter(Boolean).map((act) => draft.before.find((s) => s.act === act) ?? { act, by: "" });
}
