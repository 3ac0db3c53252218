/** One option as it is edited: its name, and its acts as sentences with their times. */
import { make } from "../page";
import { type Act, type Acts, wrongAct } from "./api";
import { type Draft, joined, type Option, parted, type Step, withOption, withSteps } from "./draft";
import { badge, colourOf } from "./mark";
import { say, wrongOf } from "./wrong";

/** What an edit makes of the present draft; a quiet one leaves the fields as they stand, and the focus. */
export type Change = (edit: (draft: Draft) => Draft, quiet?: boolean) => void;

const START = "60 s", DOSE = "?";

function field<K extends "input" | "textarea">(kind: K, label: string, value: string, heard: (said: string) => void): HTMLElementTagNameMap[K] {
  const input = make(kind);
  input.value = value;
  input.setAttribute("aria-label", label);
  input.addEventListener("change", () => heard(input.value));
  return input;
}

/** An act may be longer than a column is wide: it wraps, and Enter ends it as it ends a field. */
function lines(label: string, value: string, heard: () => void): HTMLTextAreaElement {
  const area = field("textarea", label, value, heard);
  area.rows = 1;
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    area.blur(); area.focus();
  });
  return area;
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
  const parts = act.takes.filter((t) => t.default !== "").map((t) => `${t.word} ${t.default ?? `${DOSE} ${t.unit}`}`.trim());
  return [act.name, ...parts].join(" ");
}

function stepRow(acts: Acts, i: number, k: number, step: Step, change: Change): HTMLElement {
  const row = make("li", "step"), under = make("div", "row"), { what, at } = parted(step.act);
  const set = (edit: (old: Step) => Step): void => change((d) => withSteps(d, i, (s) => s.map((o, j) => (j === k ? edit(o) : o))), true);
  const said = (): void => set((o) => ({ ...o, act: joined(words.value.replace(/\s+/g, " "), time.value) })); // of the fields: what cannot be cannot be parted
  const role = make("select"), usual = rowOf(acts, what)?.role ?? "";
  role.setAttribute("aria-label", `who does act ${k + 1}`);
  role.append(...acts.roles.map((r) => new globalThis.Option(r, r, false, r === (step.by || usual))));
  role.addEventListener("change", () => set((o) => ({ ...o, by: role.value })));
  const words = lines(`act ${k + 1}, with its dose`, what, () => said());
  words.className = "words";
  words.title = rowOf(acts, what)?.form ?? "";
  const time = field("input", `time of act ${k + 1}`, at, () => said());
  time.className = "time";
  under.append(make("span", "soft", "at"), time, role, button("×", `remove act ${k + 1} of option ${i + 1}`, () => change((d) => withSteps(d, i, (s) => s.filter((_, j) => j !== k)))));
  row.append(words, under, wrongOf(`option ${i + 1} act ${k + 1}`, words, time));
  return row;
}

/** Takes an act only if it can be played; a dose that is due is asked for and never invented. */
function adder(acts: Acts, i: number, option: Option, length: () => string, change: Change): HTMLElement {
  const form = make("form", "adder"), line = make("div", "row"), input = make("input"), hint = make("p", "soft hint"), wrong = wrongOf(`adding ${i + 1}`, input);
  input.setAttribute("list", "acts-known"); input.placeholder = "an act, like fluid 250 mL";
  input.setAttribute("aria-label", `act to add to ${option.name}`);
  delete wrong.dataset["part"]; // what is not in the rehearsal yet, the room does not judge
  input.addEventListener("input", () => {
    const act = rowOf(acts, input.value);
    hint.textContent = act ? `${act.meaning} Say: ${act.form}` : "";
    say(wrong, "");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void add(input.value.trim()).then((said) => { if (input.isConnected) say(wrong, said); });
  });
  const add = async (said: string): Promise<string> => {
    const act = rowOf(acts, said), { what, at } = parted(said);
    if (!said) return "";
    const whole = act && said.toLowerCase() === act.name ? sentence(act) : what, start = whole.indexOf(DOSE);
    if (start >= 0) {
      input.value = whole;
      input.setSelectionRange(start, start + DOSE.length);
      return `How much? Put it in place of “${DOSE}”.`;
    }
    const step = joined(whole, at === "0 s" ? START : at), told = await wrongAct(step, length()).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (!told) change((d) => withSteps(d, i, (s) => [...s, { act: step, by: "" }]));
    return told;
  };
  line.append(input, make("button", "", "Add"));
  form.append(line, hint, wrong);
  return form;
}

/** The editable head of a column; `length` is for how long it is played now. */
export function column(acts: Acts, i: number, option: Option, length: () => string, change: Change): HTMLElement {
  const box = make("section", "option"), head = make("div", "row head"), list = make("ol", "steps");
  box.setAttribute("aria-label", `Option ${option.name}`);
  box.style.setProperty("--option", colourOf(i));
  const name = field("input", `name of option ${i + 1}`, option.name, (said) => change((d) => withOption(d, i, (o) => ({ ...o, name: said.trim() })), true));
  name.className = "name";
  head.append(badge(i), name, button("×", `remove option ${option.name}`, () => change((d) => ({ ...d, option: d.option.filter((_, k) => k !== i) }))));
  list.append(...option.do.map((step, k) => stepRow(acts, i, k, step, change)));
  if (!option.do.length) list.append(make("li", "soft", "No act: waits and watches."));
  box.append(head, wrongOf(`option ${i + 1}`, name), list, adder(acts, i, option, length, change));
  return box;
}
