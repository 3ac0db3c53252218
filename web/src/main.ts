/** The live page: puts what arrives on the screen, and says how old it is. */
import { Axis } from "./axis";
import { openStanding, prepareBar } from "./bar";
import { Beating } from "./bedside/beating";
import { offer, unseal } from "./bedside/demo";
import { showForecast } from "./bedside/forecast";
import { showBelief } from "./bedside/hood";
import { drawLoop } from "./bedside/loop";
import { closePlan, showPlan } from "./bedside/plan";
import { showLooks, showPerson } from "./bedside/person";
import { prepareTour, startTour } from "./bedside/tour";
import { showTwin } from "./bedside/twin";
import { connect } from "./connection";
import { listAlarm, listWord, showLoad } from "./events";
import type { HeartFrame } from "./heart/frame";
import type { Block, CycleMessage, Forecast, Hello, Message, State, Twin } from "./messages";
import { showPatient, showState } from "./numbers";
import { byId, text } from "./page";
import { follow, missing, NOWHERE, shifted } from "./stream";
import { type Look, Sweep } from "./sweep";
import { Tachogram } from "./tachogram";
import { offerImages, openRoom, route, type View, VIEWS } from "./views";
import { fresh, seconds } from "./words";

const STALE = 2000, DEAD = 6000; // ms of silence: said; and the connection is made anew
const HELD_UP = 100; // [ms] without samples, which come each 50 ms
const STEP = 0.1; // [s] that a key goes back or on
const GAINS = [5, 10, 20], SPEEDS = [12.5, 25, 50];

const look: Look = { gain: 10, speed: 25 };
const tachogram = new Tachogram(byId<HTMLCanvasElement>("tacho"));
const beating = new Beating(), axis = new Axis();
let view: View = "bedside", twin: Twin | null = null, twinAt = 0, cycle: CycleMessage | null = null, forecast: Forecast | null = null;
let hello: Hello | null = null;
let sweeps: Sweep[] = [];
let state: State | null = null;
let heard = 0, since = performance.now(), place = NOWHERE, lost = 0, frozen = false;
let base = 0, came = 0, resumed = false; // of the page's samples over the server's; when the last block came [ms]; whether a server began again

function strips(h: Hello): Sweep[] {
  byId("strips").replaceChildren();
  return h.channels.map((channel, i) => {
    const box = document.createElement("div"), label = document.createElement("p"), scale = document.createElement("span"), data = document.createElement("span");
    box.className = i === h.lead ? "strip lead" : "strip";
    label.className = "label"; scale.className = "scale"; data.className = "data";
    label.textContent = channel.variable === "ecg" ? `ECG ${channel.name.replace(/^ECG /, "")}` : channel.name;
    label.classList.add(channel.variable);
    label.append(scale, data);
    byId("strips").append(box);
    const sweep = new Sweep(box, channel, h.hz, i === h.lead);
    box.append(label);
    return sweep;
  });
}

function scales(): void {
  text("gain", `${look.gain} mm/mV`);
  text("speed", `${look.speed} mm/s`);
  for (const s of sweeps) {
    const said = s.channel.variable === "ecg" ? `${look.speed} mm/s  ${look.gain} mm/mV` : s.channel.unit ? `${s.channel.unit}, scaled to fit` : "no unit, scaled to fit";
    const label = s.box.querySelector(".scale");
    if (label) label.textContent = said;
  }
}

function onHello(h: Hello): void {
  const same = hello !== null && hello.name === h.name && hello.hz === h.hz && hello.channels.length === h.channels.length;
  if (!same) { sweeps = strips(h); tachogram.clear(); }
  if (h.run !== hello?.run) { // of the same run what was missed comes now, or is counted
    resumed = same && hello?.seal === h.seal && hello?.patient.id === h.patient.id && place.next > 0;
    if (hello && !resumed) listWord("The server began again, with another patient");
    place = resumed ? { ...place, seq: 0 } : NOWHERE;
  }
  hello = h;
  axis.delay = h.display_delay ?? axis.delay;
  text("axis-delay", `${axis.delay} s`);
  showPatient(h);
  offer(h);
  scales();
}

/** The server began again and the patient did not: traces go on behind a gap. */
function resume(b: Block, h: Hello): void {
  const missed = missing((performance.now() - came) / 1000, h.hz, (h.sample ?? b.first) - b.first);
  base = place.next + missed - b.first;
  place = { seq: 0, turn: b.turn, next: place.next + missed };
  axis.clear();
  listWord(`No data for ${seconds(missed / h.hz)}: the server began again`);
  resumed = false;
}

function onBlock(sent: Block): void {
  if (resumed && hello) resume(sent, hello);
  let b = shifted(sent, base), step = follow(place, b);
  if (step.anew) {
    base = 0; b = sent; step = { ...follow(NOWHERE, b), anew: true };
    sweeps.forEach((s) => s.clear()); tachogram.clear(); beating.clear(); axis.clear();
  }
  came = performance.now();
  lost += step.lost;
  place = step.place;
  b.data.forEach((data, i) => sweeps[i]?.push(b.first, data));
  if (!hello) return;
  axis.heard(place.next / hello.hz, performance.now());
  for (const row of b.beats) {
    beating.beat({ at: row[0] / hello.hz, kind: row[1], rr: row[2], p: state?.rhythm !== "atrial fibrillation" });
    sweeps[hello.lead]?.mark(row);
    tachogram.push(row[0] / hello.hz, row[2], row[1]);
  }
}

function onMessage(m: Message): void {
  heard = performance.now();
  if (m.type === "hello") onHello(m);
  else if (m.type === "block") onBlock(m);
  else if (m.type === "state") { state = m; show(m, 0); text("link", `live, lag ${Math.round(m.lag * 1000)} ms${lost ? `, ${lost} lost` : ""}`); }
  else if (m.type === "twin") { twin = m; twinAt = heard; showTwin(m, 0); }
  else if (m.type === "cycle") { cycle = m; beating.believe(m); }
  else if (m.type === "belief") showBelief(m);
  else if (m.type === "forecast") { forecast = m; showForecast(m); }
  else if (m.type === "plan") { showPlan(m); if (twin) showTwin(twin, (heard - twinAt) / 1000); }
}

function show(s: State, silent: number): void {
  showState(s, silent, hello?.length ?? 0);
  sweeps.forEach((sweep, i) => {
    const { said, gap } = fresh(s.ages[i] ?? null, silent), label = sweep.box.querySelector(".data");
    if (label && label.textContent !== said) label.textContent = said;
    label?.classList.toggle("gap", gap);
  });
}

function age(): void {
  const now = performance.now(), silent = now - (heard || since), old = silent > STALE;
  if (view === "patient") showPerson(state, twin);
  byId("stale").hidden = !old;
  document.body.classList.toggle("old", old);
  if (!old) return;
  const whole = Math.floor(silent / 1000);
  text("stale", state ? `Stale for ${whole} s: the last state is shown` : `Waiting for the first data, ${whole} s`);
  if (state) show(state, silent / 1000);
  if (twin) showTwin(twin, (now - twinAt) / 1000);
  if (now - Math.max(heard, since) > DEAD) { since = now; connection.restart(); }
}

declare global {
  /** For who measures the page: told of each frame when it began [ms], where its axis stood [s], and its heart. */
  interface Window { onFrame?: (began: number, at: number, heart: HeartFrame) => void }
}

/** Samples that wait behind a slow frame are heard before the next one is drawn: the axis must not wait for them. */
const waiting = new MessageChannel();
waiting.port1.onmessage = (): void => draw(performance.now());
function frame(now: number): void {
  if (axis.silence(now) > HELD_UP) waiting.port2.postMessage(null);
  else draw(now);
}

/** Where the heart stands in each view that shows it. */
const STAGES: Partial<Record<View, string>> = { bedside: "stage", patient: "patient-stage", images: "images-stage" };
function draw(now: number): void {
  const at = axis.now(now), old = document.body.classList.contains("old");
  if (!frozen) {
    if (view === "bedside") sweeps.forEach((s) => s.draw(look, at));
    if (STAGES[view]) beating.draw(at, old);
    if (view === "bedside" && cycle) drawLoop(byId("loop"), cycle, beating.phase);
    if (view === "hood" && state) showLoad(state.turn * (hello?.length ?? 0) + state.at);
    if (view === "hood" && state) tachogram.draw(state.at + base / (hello?.hz ?? 1));
  }
  window.onFrame?.(now, at, beating.frame);
  requestAnimationFrame(frame);
}

const next = (all: number[], now: number): number => all[(all.indexOf(now) + 1) % all.length] ?? now;
/** On a small screen the heart and what lies below it share one place. */
function more(on = document.body.dataset["more"] === undefined): void {
  if (on) document.body.dataset["more"] = ""; else delete document.body.dataset["more"];
  byId("b-more").setAttribute("aria-pressed", String(on));
  redraw();
}
function redraw(): void {
  if (forecast) showForecast(forecast);
  showPlan();
}
const demo = byId<HTMLDialogElement>("demo");
/** Beside the page and not over it: what is done shows on the heart. */
function demonstrate(open: boolean): void {
  if (open && !demo.open) { demo.show(); demo.querySelector("button")?.focus(); }
  if (!open && demo.open) { demo.close(); byId("b-demo").focus(); }
  byId("b-demo").setAttribute("aria-expanded", String(open));
}
// Who dictates or shakes would press them unmeant: they can be put off, and stay so.
const KEYS = "isosoma.keys", keys = byId<HTMLInputElement>("keys-on");
keys.checked = localStorage.getItem(KEYS) !== "off";
keys.addEventListener("change", () => localStorage.setItem(KEYS, keys.checked ? "on" : "off"));
const help = byId<HTMLDialogElement>("help");
const acts: Record<string, () => void> = {
  " ": () => {
    frozen = !frozen;
    byId("b-freeze").setAttribute("aria-pressed", String(frozen));
    byId("frozen").hidden = !frozen;
  },
  g: () => { look.gain = next(GAINS, look.gain); scales(); },
  s: () => { look.speed = next(SPEEDS, look.speed); scales(); },
  e: () => {
    more(true);
    if (view === "bedside") { byId("events").focus(); return; }
    addEventListener("hashchange", () => byId("events").focus(), { once: true }); // after the views have changed
    location.hash = "bedside";
  },
  v: () => beating.turn(), c: () => beating.paint(), x: () => beating.slice(), f: () => beating.fade(), l: () => beating.name(), b: () => beating.rest(),
  i: () => { if (!byId("h-headset").hidden) beating.wear(); }, ",": () => beating.scrub(-STEP), ".": () => beating.scrub(STEP), m: () => more(),
  d: () => { if (!byId("b-demo").hidden) demonstrate(!demo.open); },
  u: () => { if (!byId("b-demo").hidden) { demonstrate(true); void unseal(); } },
  t: startTour, a: openStanding,
  ...Object.fromEntries(VIEWS.map((name, i) => [String(i + 1), () => { location.hash = name; }])),
  "?": () => { if (help.open) help.close(); else help.showModal(); },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && demo.open && !help.open) demonstrate(false);
  const on = event.target;
  if (event.key === " " && on instanceof HTMLButtonElement) return;
  // Only where keys are typed: the help's switch keeps the focus for a frame after the help has closed.
  if ((on instanceof HTMLInputElement && (on.type !== "checkbox" || event.key === " ")) || on instanceof HTMLSelectElement || on instanceof HTMLTextAreaElement) return;
  if (byId<HTMLDialogElement>("tour").open || (help.open && event.key !== "?")) return;
  if (!keys.checked && event.key !== "?") return;
  const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) { event.preventDefault(); act(); }
});
for (const [id, key] of [["b-freeze", " "], ["b-gain", "g"], ["b-speed", "s"], ["b-help", "?"], ["b-demo", "d"], ["b-unseal", "u"], ["b-tour", "t"], ["b-more", "m"]] as const)
  byId(id).addEventListener("click", () => acts[key]?.());
byId("b-close").addEventListener("click", () => help.close());
byId("demo-close").addEventListener("click", () => demonstrate(false));
byId("plan-close").addEventListener("click", () => { closePlan(); redraw(); });
window.addEventListener("resize", redraw);
prepareTour();
void offerImages();
prepareBar();
route((now) => {
  view = now;
  if (now === "rehearse" || now === "images") void openRoom(now, byId("images-stage"));
  if (now === "patient") void showLooks();
  // One heart, one context of WebGL: it goes where it is looked at.
  byId(STAGES[now] ?? "stage").append(...document.querySelectorAll("#stage > *, #patient-stage > *, #images-stage > *"));
  if (forecast) showForecast(forecast);
});

const connection = connect({
  message: onMessage,
  alarm: listAlarm,
  had: () => (hello?.run && place.seq ? { run: hello.run, seq: place.seq } : null),
  link: (open) => {
    byId("link").dataset["state"] = open ? "on" : "lost";
    if (!open) text("link", "connection lost");
  },
});
setInterval(age, 250);
requestAnimationFrame(frame);
