/** One option as it is edited: its name, and its acts as sentences with their times. */
import { make } from "../page";
import { type Act, type Acts, wrongIn } from "./api";
import { type Draft, joined, type Option, parted, type Step, withOption, withSteps } from "./draft";

/** What an edit makes of the present draft; a quiet one leaves the fields as they stand, and the focus. */
export type Change = (edit: (draft: Draft) => Draft, quiet?: boolean) => void;

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

function stepRow(acts: Acts, i: number, k: number, option: Option, step: Step, change: Change): HTMLElement {
  const row = make("li", "step"), wrong = make("p", "wrong"), { what, at } = parted(step.act);
  const set = (edit: (old: Step) => Step): void => change((d) => withSteps(d, i, (s) => s.map((o, j) => (j === k ? edit(o) : o))), true);
  const role = make("select"), usual = rowOf(acts, what)?.role ?? "";
  role.setAttribute("aria-label", `who does act ${k + 1}`);
  role.append(...acts.roles.map((r) => new globalThis.Option(r, r, false, r === (step.by || usual))));
  role.addEventListener("change", () => set((o) => ({ ...o, by: role.value })));
  const words = field(`act ${k + 1}, with its dose`, what, (said) => set((o) => ({ ...o, act: joined(said, parted(o.act).at) })));
  words.className = "words";
  wrong.setAttribute("role", "alert");
  const check = (): void => void wrongIn(option.name, joined(words.value, time.value)).then((said) => {
    wrong.textContent = said;
    for (const input of [words, time]) input.setAttribute("aria-invalid", String(said !== ""));
  });
  words.addEventListener("change", check);
  words.title = rowOf(acts, what)?.form ?? "";
  const time = field(`time of act ${k + 1}`, at, (said) => set((o) => ({ ...o, act: joined(parted(o.act).what, said) })));
  time.className = "time";
  time.addEventListener("change", check);
  const under = make("div", "row");
  under.append(make("span", "soft", "at"), time, role, button("×", `remove act ${k + 1} of option ${i + 1}`, () => change((d) => withSteps(d, i, (s) => s.filter((_, j) => j !== k)))));
  row.append(words, under, wrong);
  return row;
}

function adder(acts: Acts, i: number, option: Option, change: Change): HTMLElement {
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
    change((d) => withSteps(d, i, (s) => [...s, { act: joined(whole, at === "0 s" ? START : at), by: "" }]));
  });
  const line = make("div", "row");
  line.append(input, add);
  form.append(line, hint);
  return form;
}

/** The editable head of a column. */
export function column(acts: Acts, i: number, option: Option, change: Change): HTMLElement {
  const box = make("section", "option"), head = make("div", "row head"), list = make("ol", "steps");
  box.setAttribute("aria-label", `Option ${option.name}`);
  const name = field(`name of option ${i + 1}`, option.name, (said) => change((d) => withOption(d, i, (o) => ({ ...o, name: said })), true));
  name.className = "name";
  head.append(name, button("×", `remove option ${option.name}`, () => change((d) => ({ ...d, option: d.option.filter((_, k) => k !== i) }))));
  list.append(...option.do.map((step, k) => stepRow(acts, i, k, option, step, change)));
  if (!option.do.length) list.append(make("li", "soft", "No act: waits and watches."));
  box.append(head, list, adder(acts, i, option, change));
  return box;
}
