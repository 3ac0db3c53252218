/** The beating heart on the display axis; three.js comes only when it is first shown. */
import { type Cycle, frameAt, type RPeak } from "../heart/clock";
import { type FieldName, restingFrame } from "../heart/frame";
import type { Heart, ViewName } from "../heart/heart";
import type { CycleMessage, Span } from "../messages";
import { byId, text } from "../page";
import { offerImages } from "../views";

const KEPT = 256; // R peaks: minutes that can be gone back over
const ROOMY = 170; // px of height that labels need to stand apart
const COLOURS: (FieldName | null)[] = [null, "pressure", "strain", "saturation"];
const VIEWS: ViewName[] = ["anterior", "four-chamber", "short axis", "en face valves", "LVOT"];

export class Beating {
  private heart: Heart | null = null;
  private asked = false;
  private cycle: Cycle | null = null;
  private peaks: RPeak[] = [];
  readonly frame = restingFrame();
  private view = 0;
  private field = 0;
  private cut = false;
  private faded = false;
  private named = true;
  private held: number | null = null; // time that is shown instead of now [s]
  private now = 0;
  private old = false;
  private worn: XRSession | null = null;
  private still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  constructor() {
    for (const [id, act] of [
      ["h-view", () => this.turn()], ["h-colour", () => this.paint()], ["h-cut", () => this.slice()], ["h-fade", () => this.fade()], ["h-labels", () => this.name()], ["h-still", () => this.rest()],
      ["h-held", () => this.release()], ["h-headset", () => this.wear()],
    ] as const) byId(id).addEventListener("click", act);
    this.press();
  }

  /** Of the heart shown, 0 to 1 on its curves; null where it is still or not known. */
  get phase(): number | null { return this.still || !this.peaks.length || this.frame.stale ? null : this.frame.phase; }
  clear(): void { this.peaks = []; this.release(); }
  beat(peak: RPeak): void { this.peaks.push(peak); if (this.peaks.length > KEPT) this.peaks.shift(); }
  /** The heart of the newest belief; without one none is drawn. */
  believe(m: CycleMessage): void {
    const median = (s: Span): { value: number } => ({ value: s.median });
    this.cycle = { ...m, length: median(m.length), pre_ejection: median(m.pre_ejection), ejection: median(m.ejection) };
    void this.open();
  }

  /** Draws the heart at `at` [s] of the display axis, `old` where the data are. */
  draw(at: number, old: boolean): void {
    this.now = at; this.old = old;
    if (!this.worn) this.show(); // a headset calls for its own frames
    else this.told();
  }

  private show(): void {
    if (!this.cycle) return;
    const { old } = this, frame = frameAt(this.held ?? this.now, this.still ? [] : this.peaks, this.cycle, this.frame);
    frame.stale = old || (!this.still && frame.stale);
    this.heart?.show(frame);
    this.told();
  }

  /** Goes back, or on, in what has been seen, by so many seconds; says where that is. */
  scrub(seconds: number): string {
    const first = this.peaks[0]?.at ?? this.now, to = Math.max(first, (this.held ?? this.now) + seconds);
    this.held = this.still || to >= this.now ? null : to;
    this.told();
    return this.where();
  }
  release(): void { this.held = null; this.told(); }
  private where(): string { return this.held === null ? "live" : `held ${(this.now - this.held).toFixed(1)} s ago`; }
  private told(): void {
    byId("h-held").hidden = this.held === null;
    if (this.held !== null) text("h-held", `${this.where()} – back to live`);
  }

  /** Into the headset, by the user's act; the page goes on beside it. */
  wear(): void {
    if (this.worn) { void this.worn.end(); return; }
    this.heart?.enterXR({ frame: () => this.show(), scrub: (s) => this.scrub(s), ended: () => { this.worn = null; this.release(); this.press(); } })
      .then((session) => { this.worn = session; this.press(); }, (fault: unknown) => { text("h-note", fault instanceof Error ? fault.message : String(fault)); byId("h-note").hidden = false; });
  }

  turn(): void { this.view = (this.view + 1) % VIEWS.length; this.set(); }
  paint(): void { this.field = (this.field + 1) % COLOURS.length; this.set(); }
  slice(): void { this.cut = !this.cut; this.set(); }
  fade(): void { this.faded = !this.faded; this.set(); }
  name(): void { this.named = !this.named; this.set(); }
  rest(): void { this.still = !this.still; this.press(); }

  private set(): void {
    const view = VIEWS[this.view]!;
    this.heart?.view(view);
    this.heart?.cut(this.cut ? (view === "anterior" ? "four-chamber" : view) : null);
    this.heart?.colour(COLOURS[this.field]!);
    this.heart?.fade("wall", this.faded ? 0 : 0.35);
    this.heart?.labels(this.named);
    this.press();
  }

  private press(): void {
    text("h-view-said", VIEWS[this.view]!);
    text("h-colour-said", COLOURS[this.field] ?? "anatomy");
    for (const [id, on] of [["h-cut", this.cut], ["h-fade", this.faded], ["h-labels", this.named], ["h-still", this.still], ["h-headset", this.worn !== null]] as const) byId(id).setAttribute("aria-pressed", String(on));
  }

  /** Where there are pictures of the patient, their own ventricles; otherwise the drawn ones stay. */
  private async picture(): Promise<void> {
    const { fetchScan } = await import("../heart/scan"), scan = await fetchScan();
    if (!scan || !this.heart) return;
    this.heart.picture(scan);
    this.set();
    void offerImages();
  }

  private async open(): Promise<void> {
    if (this.asked) return;
    this.asked = true;
    // Asked on a canvas of its own: a failed renderer would speak on the console.
    if (!document.createElement("canvas").getContext("webgl2")) {
      text("h-note", "This browser draws no 3-D pictures (WebGL 2); every number is the same without it.");
      return;
    }
    const { createHeart } = await import("../heart/heart");
    this.heart = createHeart(byId<HTMLCanvasElement>("heart"));
    byId("h-note").hidden = true;
    void this.picture();
    void navigator.xr?.isSessionSupported("immersive-vr").then((can) => { byId("h-headset").hidden = !can; });
    this.named = byId("heart").clientHeight >= ROOMY;
    this.set();
  }
}
