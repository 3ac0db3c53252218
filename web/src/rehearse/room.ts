/** The rehearsal room: options are edited, played on the same members, compared, and signed or rejected. */
import { make } from "../page";
import { type Acts, type Case, checkedAs, get, type Listed, play, post, Refused, type Reopened, type Result } from "./api";
import { column } from "./column";
import { beyondLanes, Courses } from "./courses";
import { ask } from "./decide";
import { begin, changes, type Draft, edit, FIRST, freeName, type History, redo, undo } from "./draft";
import { aged, caution, drawer, standing } from "./evidence";
import { clock } from "./figures";
import { Hearts } from "./hearts";
import { header } from "./header";
import { headline } from "./plain";
import { shelf } from "./shelf";
import { chances, differences, ranking } from "./tables";
import { place, wrongOf } from "./wrong";
import "./room.css";

const HERE = "rehearsal", AGAIN = 1000, LOOK = 4000; // name of what this tab has open; [ms] between two looks at a play that goes on, at the list
const KEPT_AS = "rehearsal.json", WHO = [{ name: "name", label: "Name" }, { name: "qualification", label: "Qualification" }];
const UNCHOSEN = "?"; // so that nobody signs for what merely stood first

export function mount(root: HTMLElement): void {
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
  private index: number | null = null; // of the frame that is looked at; the last one by default
  private readonly measures = new Set(["MAP", "HR", "CO", "SpO₂", "LAP", "CVP"]);
  private readonly hearts: Hearts;
  private judged = 0; // counts the drafts that were sent to be judged: an answer to an older one says nothing
  private readonly asked = make("div", "asked-for");
  private readonly answer = make("div", "answer");
  private readonly chooser = make("div", "choosing");
  private readonly list = make("div", "list");
  private readonly fault = make("p", "fault");
  private readonly state = make("div", "row state");
  private readonly age = make("p", "soft age");
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
    this.hearts = new Hearts(root);
    const scroller = make("div", "scroller");
    scroller.append(this.state, this.age, this.answer, this.asked, this.chooser, this.columns, wrongOf("rehearsal"), this.results, this.list);
    root.append(this.bar(), this.progress, this.fault, scroller, this.scrub);
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("rehearsal", (event) => void this.safely(() => this.take((event as CustomEvent<string>).detail))); // the tour brings one
    setInterval(() => void this.look(), LOOK);
    addEventListener("resize", () => this.courses?.draw());
    addEventListener("hashchange", () => { if (!root.hidden) this.courses?.draw(); });
  }

  async open(): Promise<void> {
    await this.safely(async () => {
      this.acts = await get<Acts>("/acts");
      const known = make("datalist");
      known.id = "acts-known";
      for (const a of this.acts.acts) for (const n of [a.name, ...a.also]) known.append(new Option(`${a.meaning}`, n));
      this.root.append(known);
      await this.relist();
      this.show();
      const here = sessionStorage.getItem(HERE);
      if (here) await this.reopen(here);
    });
  }

  private async relist(): Promise<void> {
    const listed = await get<Listed>(""), open = this.list.querySelector("details")?.open ?? false, made = shelf(listed, this.found?.id ?? "", (id) => void this.safely(() => this.reopen(id)));
    if (!this.found) this.tell(make("span", "soft", listed.kept));
    if (made instanceof HTMLDetailsElement) made.open = open;
    this.list.replaceChildren(made);
  }

  /** Sees what others and new data made of the one that is open; a server that is gone says so in the banner. */
  private async look(): Promise<void> {
    const here = this.found;
    if (this.root.hidden || this.busy || !here) return;
    const listed = await get<Listed>("").catch(() => null), row = listed?.rehearsals.find((r) => r.id === here.id);
    if (!row || this.found !== here || row.version !== here.version) return;
    if (row.status !== (here.evidence?.status ?? "asked") && this.kept === this.draft && !this.busy) await this.safely(() => this.reopen(here.id));
    else if (row.stale !== here.stale || row.age !== here.age) {
      this.found = { ...here, stale: row.stale, age: row.age };
      this.tell(...standing(this.found));
      if (row.stale !== here.stale) await this.safely(() => this.relist()); // not each minute: whoever is in the list stays there
    }
  }

  /** Where it stands; said again only where it is another thing than before. */
  private tell(...words: HTMLElement[]): void {
    const told = make("div");
    told.append(...words);
    if (told.innerHTML !== this.state.innerHTML) this.state.replaceChildren(...words);
    this.age.textContent = this.found ? aged(this.found) : "";
  }

  /** Puts what cannot be beside its field; nothing is kept by it. */
  private async judge(): Promise<void> {
    const mine = ++this.judged, found = await checkedAs({ ...this.draft, version: 1 }).catch(() => null); // who saves or plays is told of a server that is gone
    if (found && mine === this.judged) place(this.root, found);
  }

  /** Opens one that is kept, with what was played of it; waits for a play that goes on without this page. */
  private async reopen(id: string): Promise<void> {
    const { result, playing, ...found } = await get<Reopened>(`/${id}`);
    const same = this.found?.id === id && this.found.version === found.version && this.kept === this.draft;
    this.remember(found);
    this.result = result;
    if (!same) this.history = edit(this.history, found.rehearsal);
    this.kept = this.draft;
    this.index = null;
    this.show();
    await this.relist();
    if (!playing) return;
    if (!result) this.tell(make("span", "soft", "It is still playing; the result comes here."));
    const kept = this.kept;
    setTimeout(() => { if (this.found?.id === id && this.kept === kept && this.draft === kept && !this.busy) void this.safely(() => this.reopen(id)); }, AGAIN);
  }

  private remember(found: Case): void {
    this.found = found;
    sessionStorage.setItem(HERE, found.id);
  }

  /** Leaves what is open as it is kept, and begins another one. */
  private fresh(): void {
    this.found = null; this.kept = null; this.result = null;
    sessionStorage.removeItem(HERE);
    this.history = edit(this.history, FIRST);
    this.show();
    void this.safely(() => this.relist());
  }

  private bar(): HTMLElement {
    const bar = make("div", "row tools-bar"), file = make("input");
    file.type = "file"; file.accept = ".json,.toml,application/json"; file.hidden = true;
    file.addEventListener("change", () => void this.safely(() => this.upload(file)));
    const groups: [string, [string, string, string, () => void][]][] = [
      ["Play", [["rehearse", "Rehearse", "Ctrl+Enter", () => void this.rehearse()], ["keep", "Save", "Ctrl+S", () => void this.safely(async () => { await this.keep(); this.showResult(); })]]],
      ["Edit", [["undo", "Undo", "Ctrl+Z", () => this.turn(undo)], ["redo", "Redo", "Ctrl+Y", () => this.turn(redo)], ["option", "Add option", "", () => this.change((d) => ({ ...d, option: [...d.option, { name: freeName(d), do: [], against: [] }] }))]]],
      ["Decide", [["guess", "Own estimate", "", () => this.guess()], ["sign", "Sign", "", () => this.sign()], ["reject", "Reject", "", () => this.reject()], ["begin", "Begin plan", "", () => void this.safely(() => this.begin())]]],
      ["File", [["new", "New", "", () => this.fresh()], ["open", "Open file", "", () => file.click()], ["save", "Hand over", "", () => this.download()]]],
    ];
    for (const [name, acts] of groups) {
      const group = make("div", "group");
      group.setAttribute("role", "group"); group.setAttribute("aria-label", name);
      for (const [id, words, keys, does] of acts) {
        const button = make("button", id === "rehearse" ? "main" : "", words);
        button.type = "button"; button.id = `r-${id}`; button.title = keys;
        if (keys) button.setAttribute("aria-keyshortcuts", keys.replace("Ctrl", "Control"));
        button.addEventListener("click", does);
        this.buttons.set(id, button);
        group.append(button);
      }
      bar.append(group);
    }
    bar.append(make("span", "tag", "SIMULATED · research only"), file);
    return bar;
  }

  private get draft(): Draft { return this.history.present; }

  private key(event: KeyboardEvent): void {
    if (this.root.hidden || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase(), back = key === "z" && !event.shiftKey, again = key === "y" || (key === "z" && event.shiftKey);
    if (back || again) { event.preventDefault(); this.turn(back ? undo : redo); }
    if (key === "s" || key === "enter") this.commit();
    if (key === "s") { event.preventDefault(); this.buttons.get("keep")?.click(); }
    if (key === "enter") { event.preventDefault(); void this.rehearse(); }
  }

  /** What is typed and not left yet counts: nobody saves or plays an older dose than the one they read. */
  private commit(): void {
    const on = document.activeElement;
    if (on instanceof HTMLElement && this.root.contains(on)) { on.blur(); on.focus(); }
  }

  private turn(which: (h: History) => History): void { this.history = which(this.history); this.show(); }
  private change(made: (draft: Draft) => Draft, quiet = false): void {
    this.history = edit(this.history, made(this.draft));
    if (quiet) this.showResult(); else this.show();
  }

  /** Draws the columns anew; results stay only where they are of what is written there. */
  private show(): void {
    const on = document.activeElement, label = on?.getAttribute("aria-label") ?? "", i = [...this.columns.children].findIndex((c) => c.contains(on));
    const heading = this.asked.contains(on);
    this.asked.replaceChildren(...header(this.draft, (made, quiet) => this.change(made, quiet)));
    if (heading) this.asked.querySelector<HTMLElement>(`[aria-label="${CSS.escape(label)}"]`)?.focus();
    this.columns.replaceChildren(...this.draft.option.map((o, k) => column(this.acts, k, o, () => this.draft.for, (made, quiet) => this.change(made, quiet))));
    const box = this.columns.children[i];
    if (box) (box.querySelector<HTMLElement>(`[aria-label="${CSS.escape(label)}"]`) ?? box.querySelector<HTMLElement>(".adder input"))?.focus();
    this.showResult();
  }

  private showResult(): void {
    const fresh = this.result !== null && this.kept === this.draft, status = this.found?.evidence?.status;
    this.scrub.replaceChildren(); this.results.replaceChildren(); this.answer.replaceChildren(); this.chooser.replaceChildren();
    this.columns.querySelectorAll(".courses").forEach((box) => box.remove());
    this.hearts.clear();
    this.courses = null;
    if (this.result && fresh) this.showFutures(this.result);
    else if (this.result) this.answer.append(make("p", "careful", "Edited since it was played: rehearse again."));
    for (const [id, on] of Object.entries({
      rehearse: !this.busy, keep: !this.busy && this.kept !== this.draft, undo: this.history.past.length > 0, redo: this.history.undone.length > 0, guess: !this.busy && !this.found?.evidence,
      sign: !this.busy && fresh && (status === "computed" || status === "reviewed"), begin: !this.busy && this.found?.plan?.begun === null, reject: !this.busy && fresh && (status === "computed" || status === "reviewed"),
    })) { const button = this.buttons.get(id); if (button) button.disabled = !on; }
    if (this.found) this.tell(...standing(this.found));
    void this.judge();
  }

  private showFutures(result: Result): void {
    const { comparison, frames } = result;
    const evidence = (this.busy ? null : this.found?.evidence) ?? result.evidence; // what plays rests on what holds now, not on an older answer's
    if (comparison) this.answer.append(make("p", "headline", `${this.busy ? "So far: " : ""}${headline(comparison)}`));
    this.answer.append(...caution(evidence), make("p", "played", `Simulated: ${result.played}`));
    if (frames) {
      const boxes = [...this.columns.children].map((c) => { const box = make("div", "courses"); c.append(box); return box; });
      this.courses = new Courses(frames, boxes, this.measures);
      this.hearts.show(frames, boxes);
      boxes.forEach((box, i) => box.append(beyondLanes(frames, i)));
      this.scrub.append(...this.scrubber(frames.times));
      this.chooser.append(this.courses.chooser());
      this.seek(this.index ?? frames.times.length - 1);
    }
    if (comparison) {
      this.results.append(ranking(result, comparison), chances(result, comparison), differences(result, comparison));
    }
    this.results.append(drawer(evidence));
  }

  private seek(index: number): void {
    this.courses?.at(index);
    this.hearts.at(index);
  }

  private scrubber(times: number[]): HTMLElement[] {
    const range = make("input"), told = make("output");
    range.type = "range"; range.min = "0"; range.max = String(times.length - 1); range.value = String(this.index ?? times.length - 1);
    range.setAttribute("aria-label", "time in all futures");
    const at = (): void => {
      told.textContent = clock(times[Number(range.value)]);
      range.setAttribute("aria-valuetext", told.textContent);
      this.index = Number(range.value);
      this.seek(this.index);
    };
    range.addEventListener("input", at);
    told.textContent = clock(times[Number(range.value)]);
    range.setAttribute("aria-valuetext", told.textContent);
    return [make("span", "soft", "Time in all futures"), range, told];
  }

  /** Keeps the draft on the server: a new rehearsal, or the next version; a signed one is copied. */
  private async keep(): Promise<Case> {
    if (this.found && this.kept === this.draft && this.found.evidence?.status !== "signed") return this.found;
    const old = this.found?.evidence?.status === "signed" ? null : this.found, draft = this.draft;
    this.remember(await post<Case>("", { rehearsal: { ...draft, version: 1 }, id: old?.id ?? "", version: old?.version ?? 0 }));
    this.kept = draft;
    await this.relist();
    return this.found as Case;
  }

  private async rehearse(): Promise<void> {
    if (this.busy) return;
    this.busy = true; this.progress.hidden = false; this.progress.value = 0;
    await this.safely(async () => {
      const { id } = await this.keep();
      this.result = null;
      this.showResult();
      await play(id, (event, content) => this.heard(event, content));
      await this.relist();
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
    const careful = this.found?.stale ? `Stale: ${this.found.stale}. ` : "";
    const choices = [[UNCHOSEN, "choose one"], ...this.draft.option.map((o) => o.name), ["", "none: no plan is watched"]] as const;
    ask(this.root, "Sign", `${careful}You have looked at the futures and what they rest on, and stand for using this result. It cannot be changed afterwards. The future of what you choose is locked, and watched over the patient once the plan begins.`, [...WHO, { name: "option", label: "I choose", choices }], "Review and sign", async (said) => {
      const id = this.found?.id ?? "", option = said["option"] ?? "", who = { name: said["name"] ?? "", qualification: said["qualification"] ?? "" };
      if (!who.name.trim() || !who.qualification.trim()) throw new Refused("A signature needs a name and a qualification.");
      if (option === UNCHOSEN) throw new Refused("Say which option you choose, or that it is none.");
      if (this.found?.evidence?.status === "computed") this.found = await post<Case>(`/${id}/review`, who);
      this.found = await post<Case>(`/${id}/sign`, { ...who, option });
      this.showResult();
      await this.relist();
    });
  }

  /** The signed plan begins: from now on the patient is compared with what was locked. */
  private async begin(): Promise<void> {
    this.found = await post<Case>(`/${this.found?.id ?? ""}/begin`, {});
    this.showResult();
    location.hash = "bedside";
  }

  private reject(): void {
    ask(this.root, "Reject", "Say why this result is not to be used.", [...WHO, { name: "reason", label: "Reason" }], "Reject", async (said) => {
      this.found = await post<Case>(`/${this.found?.id ?? ""}/reject`, said);
      this.showResult();
      await this.relist();
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
    this.remember(await post<Case>("", { rehearsal: document }));
    this.result = null;
    this.history = edit(this.history, (this.found as unknown as Case).rehearsal);
    this.kept = this.draft;
    this.show();
    await this.relist();
  }

  /** Does it; a refusal is shown, and where another one edited meanwhile, the present version is offered. */
  private async safely(does: () => Promise<void>): Promise<void> {
    this.fault.replaceChildren();
    try { await does(); } catch (error) {
      this.fault.textContent = error instanceof Error ? error.message : String(error);
      if (error instanceof Refused && error.present) this.offer(error.present);
    }
  }

  /** Another one edited meanwhile: what they changed, and both ways on; neither loses anything. */
  private offer(present: Case): void {
    const take = make("button", "", "Take theirs"), mine = make("button", "", "Keep mine as a copy"), told = make("ul");
    const was = this.found?.rehearsal ?? this.draft; // as the server writes it, like theirs
    told.append(...changes(was, present.rehearsal).map((line) => make("li", "", line)));
    take.addEventListener("click", () => void this.safely(() => this.reopen(present.id))); // mine stays one undo away
    mine.addEventListener("click", () => void this.safely(async () => {
      this.found = null; this.kept = null;
      await this.keep();
      this.showResult();
    }));
    this.fault.append(told, take, " ", mine);
  }
}
