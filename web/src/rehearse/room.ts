/** The rehearsal room: options are edited, played on the same members, compared, and signed or rejected. */
import { make } from "../page";
import { type Acts, type Case, get, type Listed, play, post, Refused, type Result } from "./api";
import { column } from "./column";
import { Courses, said } from "./courses";
import { ask } from "./decide";
import { begin, type Draft, edit, FIRST, freeName, type History, redo, undo } from "./draft";
import { drawer, standing } from "./evidence";
import { chances, differences, ranking } from "./tables";
import "./room.css";

const KEPT_AS = "rehearsal.json", NOBODY = "Name", WHO = [{ name: "name", label: NOBODY }, { name: "qualification", label: "Qualification" }];

export function mountRehearsal(root: HTMLElement): void {
  const style = make("link");
  style.rel = "stylesheet"; style.href = "./rehearse/room.css";
  document.head.append(style);
  const room = new Room(root);
  void room.open();
}

class Room {
  private history: History = begin(FIRST);
  private acts: Acts = { acts: [], roles: [] };
  private found: Case | null = null;
  private kept: Draft | null = null; // the draft that the server has
  private courses: Courses | null = null;
  private result: Result | null = null;
  private busy = false;
  private readonly fault = make("p", "fault");
  private readonly state = make("p", "soft state");
  private readonly progress = make("progress");
  private readonly columns = make("div", "options");
  private readonly scrub = make("div", "row scrub");
  private readonly results = make("div", "results");
  private readonly buttons = new Map<string, HTMLButtonElement>();

  constructor(private readonly root: HTMLElement) {
    root.classList.add("rehearsal");
    this.fault.setAttribute("role", "alert");
    this.state.setAttribute("role", "status");
    this.progress.max = 1; this.progress.hidden = true;
    this.progress.setAttribute("aria-label", "progress of the rehearsal");
    root.append(this.bar(), this.fault, this.state, this.columns, this.scrub, this.results);
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("rehearsal", (event) => void this.safely(() => this.take((event as CustomEvent<string>).detail))); // the tour brings one
    addEventListener("resize", () => this.courses?.draw());
  }

  async open(): Promise<void> {
    await this.safely(async () => {
      this.acts = await get<Acts>("/acts");
      const known = make("datalist");
      known.id = "acts-known";
      for (const a of this.acts.acts) for (const n of [a.name, ...a.also]) known.append(new Option(`${a.meaning}`, n));
      this.root.append(known);
      this.state.textContent = (await get<Listed>("")).kept;
      this.show();
    });
  }

  private bar(): HTMLElement {
    const bar = make("div", "row tools-bar"), file = make("input");
    file.type = "file"; file.accept = ".json,application/json"; file.hidden = true;
    file.addEventListener("change", () => void this.safely(() => this.upload(file)));
    const acts: [string, string, () => void][] = [
      ["rehearse", "Rehearse", () => void this.rehearse()], ["guess", "Own estimate", () => this.guess()],
      ["undo", "Undo", () => this.turn(undo)], ["redo", "Redo", () => this.turn(redo)],
      ["option", "Add option", () => this.change((d) => ({ ...d, option: [...d.option, { name: freeName(d), do: [], against: [] }] }))],
      ["sign", "Sign", () => this.sign()], ["reject", "Reject", () => this.reject()],
      ["save", "Hand over", () => this.download()], ["open", "Open", () => file.click()],
    ];
    for (const [id, words, does] of acts) {
      const button = make("button", id === "rehearse" ? "main" : "", words);
      button.type = "button"; button.id = `r-${id}`;
      button.addEventListener("click", does);
      this.buttons.set(id, button);
      bar.append(button);
    }
    bar.append(this.progress, make("span", "tag", "SIMULATED · research only"), file);
    return bar;
  }

  private get draft(): Draft { return this.history.present; }

  private key(event: KeyboardEvent): void {
    if (this.root.hidden || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase(), back = key === "z" && !event.shiftKey, again = key === "y" || (key === "z" && event.shiftKey);
    if (back || again) { event.preventDefault(); this.turn(back ? undo : redo); }
    if (key === "enter") { event.preventDefault(); void this.rehearse(); }
  }

  private turn(which: (h: History) => History): void { this.history = which(this.history); this.show(); }
  private change(made: (draft: Draft) => Draft, quiet = false): void {
    this.history = edit(this.history, made(this.draft));
    if (quiet) this.showResult(); else this.show();
  }

  /** Draws the columns anew; results stay only where they are of what is written there. */
  private show(): void {
    const on = document.activeElement, label = on?.getAttribute("aria-label") ?? "", i = [...this.columns.children].findIndex((c) => c.contains(on));
    this.columns.replaceChildren(...this.draft.option.map((o, k) => column(this.acts, k, o, (made, quiet) => this.change(made, quiet))));
    const box = this.columns.children[i];
    (box?.querySelector<HTMLElement>(`[aria-label="${CSS.escape(label)}"]`) ?? box?.querySelector<HTMLElement>(".adder input"))?.focus();
    this.showResult();
  }

  private showResult(): void {
    const fresh = this.result !== null && this.kept === this.draft, status = this.found?.evidence?.status;
    this.scrub.replaceChildren(); this.results.replaceChildren();
    this.columns.querySelectorAll(".courses").forEach((box) => box.remove());
    this.courses = null;
    if (this.result && fresh) this.showFutures(this.result);
    else if (this.result) this.results.append(make("p", "soft", "Edited since it was played: rehearse again."));
    for (const [id, on] of Object.entries({
      rehearse: !this.busy, undo: this.history.past.length > 0, redo: this.history.undone.length > 0, guess: !this.busy && !this.found?.evidence,
      sign: !this.busy && fresh && (status === "computed" || status === "reviewed"), reject: !this.busy && fresh && (status === "computed" || status === "reviewed"),
    })) { const button = this.buttons.get(id); if (button) button.disabled = !on; }
    if (this.found) this.state.textContent = standing(this.found);
  }

  private showFutures(result: Result): void {
    const { comparison, frames } = result;
    this.results.append(make("p", "played", `Simulated: ${result.played}`));
    if (comparison && frames) {
      const boxes = [...this.columns.children].map((c) => { const box = make("div", "courses"); c.append(box); return box; });
      this.courses = new Courses(frames, boxes);
      this.scrub.append(...this.scrubber(frames.times));
      this.courses.at(frames.times.length - 1);
      this.results.append(chances(result, comparison), ranking(result, comparison), differences(result, comparison));
    }
    this.results.append(drawer(this.found?.evidence ?? result.evidence));
  }

  private scrubber(times: number[]): HTMLElement[] {
    const range = make("input"), told = make("output");
    range.type = "range"; range.min = "0"; range.max = String(times.length - 1); range.value = range.max;
    range.setAttribute("aria-label", "time in all futures");
    const at = (): void => {
      told.textContent = `${said(times[Number(range.value)])} s`;
      range.setAttribute("aria-valuetext", told.textContent);
      this.courses?.at(Number(range.value));
    };
    range.addEventListener("input", at);
    told.textContent = `${said(times.at(-1))} s`;
    return [make("span", "soft", "Time in all futures"), range, told];
  }

  /** Keeps the draft on the server: a new rehearsal, or the next version; a signed one is copied. */
  private async keep(): Promise<Case> {
    if (this.found && this.kept === this.draft && this.found.evidence?.status !== "signed") return this.found;
    const old = this.found?.evidence?.status === "signed" ? null : this.found, draft = this.draft;
    this.found = await post<Case>("", { rehearsal: { ...draft, version: 1 }, id: old?.id ?? "", version: old?.version ?? 0 });
    this.kept = draft;
    return this.found;
  }

  private async rehearse(): Promise<void> {
    if (this.busy) return;
    this.busy = true; this.progress.hidden = false; this.progress.value = 0;
    await this.safely(async () => {
      const { id } = await this.keep();
      this.result = null;
      this.showResult();
      await play(id, (event, content) => this.heard(event, content));
    });
    this.busy = false; this.progress.hidden = true;
    this.showResult();
  }

  private heard(event: string, content: unknown): void {
    if (event === "fault") throw new Refused((content as { error: string }).error);
    if (event === "progress") { this.progress.value = (content as { share: number }).share; return; }
    this.result = content as Result;
    this.found = this.result.case ?? this.found;
    this.showResult();
  }

  private guess(): void {
    const names = this.draft.option.map((o) => o.name);
    ask(this.root, "Own estimate", "Which option do you hold for best, before you see what the model says?",
      [...WHO, { name: "option", label: "Best option", choices: names }, { name: "reason", label: "Why" }], "Keep my estimate", async (said) => {
        const { id } = await this.keep();
        this.found = await post<Case>(`/${id}/guess`, said);
        this.showResult();
      });
  }

  private sign(): void {
    ask(this.root, "Sign", "You have looked at the futures and what they rest on, and stand for using this result. It cannot be changed afterwards.", WHO, "Review and sign", async (said) => {
      const id = this.found?.id ?? "", who = { name: said["name"] ?? "", qualification: said["qualification"] ?? "" };
      if (!who.name.trim() || !who.qualification.trim()) throw new Refused("A signature needs a name and a qualification.");
      if (this.found?.evidence?.status === "computed") this.found = await post<Case>(`/${id}/review`, who);
      this.found = await post<Case>(`/${id}/sign`, who);
      this.showResult();
    });
  }

  private reject(): void {
    ask(this.root, "Reject", "Say why this result is not to be used.", [...WHO, { name: "reason", label: "Reason" }], "Reject", async (said) => {
      this.found = await post<Case>(`/${this.found?.id ?? ""}/reject`, said);
      this.showResult();
    });
  }

  private download(): void {
    const link = make("a"), { version: _, ...draft } = this.draft;
    link.href = URL.createObjectURL(new Blob([JSON.stringify(draft, null, 1)], { type: "application/json" }));
    link.download = KEPT_AS;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  private async upload(file: HTMLInputElement): Promise<void> {
    const chosen = file.files?.[0];
    if (!chosen) return;
    file.value = "";
    await this.take(await chosen.text());
  }

  /** Opens a document as a new rehearsal; the server judges it first, so that a bad one changes nothing. */
  private async take(document: string): Promise<void> {
    this.found = await post<Case>("", { rehearsal: document });
    this.result = null;
    this.history = edit(this.history, this.found.rehearsal);
    this.kept = this.draft;
    this.show();
  }

  /** Does it; a refusal is shown, and where another one edited meanwhile, the present version is offered. */
  private async safely(does: () => Promise<void>): Promise<void> {
    this.fault.replaceChildren();
    try { await does(); } catch (error) {
      this.fault.textContent = error instanceof Error ? error.message : String(error);
      if (error instanceof Refused && error.present) this.offer(error.present);
    }
  }

  private offer(present: Case): void {
    const take = make("button", "", "Take the present version"), mine = make("button", "", "Put mine on top of it");
    take.addEventListener("click", () => { this.fault.replaceChildren(); this.found = present; this.history = edit(this.history, present.rehearsal); this.kept = this.draft; this.show(); });
    mine.addEventListener("click", () => { this.fault.replaceChildren(); this.found = present; this.kept = null; this.show(); });
    this.fault.append(" ", take, " ", mine);
  }
}
