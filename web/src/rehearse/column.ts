/** One option as it is edited: its name, and its acts as sentences with their times. */
import { make } from "../page";
import type { Act, Acts } from "./api";
import { type Draft, joined, type Option, parted, type Step, withOption, withSteps } from "./draft";

type Change = (draft: Draft) => void;

const START = "60 s";

function field(label: string, value: string, heard: (said: string) => void): HTMLInputElement {
  const input = make("input");
  input.value = value;
  input.setAttribute("aria-label", label);
  input.addEventListener("change", () => heard(input.value));
  return input;
}

function button(words: string, label: string, does: () => void): HTMLButtonElement {
  const made = make("button", "", words);
  made.type = "button";
  made.setAttribute("aria-label", label);
  made.addEventListener("click", does);
  return made;
}

const rowOf = (acts: Acts, said: string): Act | undefined => {
  const words = said.toLowerCase();
  const names = (a: Act): string[] => [a.name, ...a.also].filter((n) => words === n || words.startsWith(`${n} `));
  return acts.acts.filter((a) => names(a).length).sort((a, b) => b.name.length - a.name.length)[0];
};

/** An act with its defaults; what has none is left to be said, so that no dose is invented. */
function sentence(act: Act): string {
  const parts = act.takes.filter((t) => t.default !== "").map((t) => `${t.word} ${t.default ?? `? ${t.unit}`}`.trim());
  return [act.name, ...parts].join(" ");
}

function stepRow(draft: Draft, acts: Acts, i: number, k: number, step: Step, change: Change): HTMLElement {
  const row = make("li", "step"), { what, at } = parted(step.act), set = (act: string, by: string): void => change(withSteps(draft, i, (s) => s.map((o, j) => (j === k ? { act, by } : o))));
  const role = make("select"), usual = rowOf(acts, what)?.role ?? "";
  role.setAttribute("aria-label", `who does act ${k + 1}`);
  role.append(...acts.roles.map((r) => new globalThis.Option(r, r, false, r === (step.by || usual))));
  role.addEventListener("change", () => set(step.act, role.value));
  const words = field(`act ${k + 1}, with its dose`, what, (said) => set(joined(said, at), step.by));
  words.className = "words";
  words.title = rowOf(acts, what)?.form ?? "";
  const time = field(`time of act ${k + 1}`, at, (said) => set(joined(what, said), step.by));
  time.className = "time";
  const under = make("div", "row");
  under.append(make("span", "soft", "at"), time, role, button("×", `remove act ${k + 1}: ${step.act}`, () => change(withSteps(draft, i, (s) => s.filter((_, j) => j !== k)))));
  row.append(words, under);
  return row;
}

function adder(draft: Draft, acts: Acts, i: number, option: Option, change: Change): HTMLElement {
  const form = make("form", "adder"), input = make("input"), hint = make("p", "soft hint"), add = make("button", "", "Add");
  input.setAttribute("list", "acts-known"); input.placeholder = "search an act, or say it whole";
  input.setAttribute("aria-label", `act to add to ${option.name}`);
  input.addEventListener("input", () => { const act = rowOf(acts, input.value); hint.textContent = act ? `${act.meaning} Say: ${act.form}` : ""; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = input.value.trim(), act = rowOf(acts, said);
    if (!said) return;
    const { what, at } = parted(said);
    const whole = act && said.toLowerCase() === act.name ? sentence(act) : what;
    change(withSteps(draft, i, (s) => [...s, { act: joined(whole, at === "0 s" ? START : at), by: "" }]));
  });
  const line = make("div", "row");
  line.append(input, add);
  form.append(line, hint);
  return form;
}

/** The editable head of a column. */
export function column(draft: Draft, acts: Acts, i: number, option: Option, change: Change): HTMLElement {
  const box = make("section", "option"), head = make("div", "row head"), list = make("ol", "steps");
  box.setAttribute("aria-label", `Option ${option.name}`);
  const name = field(`name of option ${i + 1}`, option.name, (said) => change(withOption(draft, i, (o) => ({ ...o, name: said }))));
  name.className = "name";
  head.append(name, button("×", `remove option ${option.name}`, () => change({ ...draft, option: draft.option.filter((_, k) => k !== i) })));
  list.append(...option.do.map((step, k) => stepRow(draft, acts, i, k, step, change)));
  if (!option.do.length) list.append(make("li", "soft", "No act: waits and watches."));
  box.append(head, list, adder(draft, acts, i, option, change));
  return box;
}
