/** What is asked: the question, for how long it is played, and what is so already before the first act. */
import { make } from "../page";
import type { Change } from "./column";
import type { Draft } from "./draft";
import { wrongOf } from "./wrong";

const LINE = "; ";

export function header(draft: Draft, change: Change): HTMLElement[] {
  const put = (part: string, label: string, value: string, example: string, heard: (said: string) => (d: Draft) => Draft): HTMLElement => {
    const box = make("div", `head-${part}`), name = make("label", "", label), input = make("input");
    input.value = value; input.placeholder = example;
    input.setAttribute("aria-label", label);
    input.addEventListener("change", () => change(heard(input.value.trim()), true));
    name.append(input);
    box.append(name, wrongOf(part, input));
    return box;
  };
  return [
    put("question", "Question", draft.question, "What is to be decided?", (said) => (d) => ({ ...d, question: said })),
    put("for", "Played for", draft.for, "10 min", (said) => (d) => ({ ...d, for: said })),
    put("before", "Runs already, before time 0 (more than one: put ; between)", draft.before.map((s) => s.act).join(LINE), "nothing", (said) => (d) => ({ ...d, before: steps(said, d) })),
  ];
}

/** Who does an act that stays keeps doing it. */
function steps(said: string, draft: Draft): Draft["before"] {
  return said.split(";").map((act) => act.trim()).filter(Boolean).map((act) => draft.before.find((s) => s.act === act) ?? { act, by: "" });
}
