/** The live page: puts what arrives on the screen, and says how old it is. */
import { connect } from "./connection";
import { listAlarm } from "./events";
import type { Block, Hello, Message, State } from "./messages";
import { showPatient, showState } from "./numbers";
import { byId, text } from "./page";
import { follow, NOWHERE } from "./stream";
import { type Look, Sweep } from "./sweep";
import { Tachogram } from "./tachogram";
import { fresh } from "./words";

const STALE = 2000, DEAD = 6000; // ms of silence: said; and the connection is made anew
const GAINS = [5, 10, 20], SPEEDS = [12.5, 25, 50];

const look: Look = { gain: 10, speed: 25 };
const tachogram = new Tachogram(byId<HTMLCanvasElement>("tacho"));
let hello: Hello | null = null;
let sweeps: Sweep[] = [];
let state: State | null = null;
let heard = 0, since = performance.now(), place = NOWHERE, lost = 0, frozen = false, dirty = false;

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
  hello = h; place = { ...place, seq: 0 };
  showPatient(h);
  scales();
}

function onBlock(b: Block): void {
  const step = follow(place, b);
  if (step.anew) { sweeps.forEach((s) => s.clear()); tachogram.clear(); }
  lost += step.lost;
  place = step.place;
  b.data.forEach((data, i) => sweeps[i]?.push(b.first, data));
  if (!hello) return;
  for (const row of b.beats) {
    sweeps[hello.lead]?.mark(row);
    tachogram.push(row[0] / hello.hz, row[2], row[1]);
  }
  dirty = true;
}

function onMessage(m: Message): void {
  heard = performance.now();
  if (m.type === "hello") onHello(m);
  else if (m.type === "block") onBlock(m);
  else if (m.type === "state") { state = m; show(m, 0); text("link", `live, lag ${Math.round(m.lag * 1000)} ms${lost ? `, ${lost} lost` : ""}`); }
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
  byId("stale").hidden = !old;
  document.body.classList.toggle("old", old);
  if (!old) return;
  const whole = Math.floor(silent / 1000);
  text("stale", state ? `Stale for ${whole} s: the last state is shown` : `Waiting for the first data, ${whole} s`);
  if (state) show(state, silent / 1000);
  if (now - Math.max(heard, since) > DEAD) { since = now; connection.restart(); }
}

function draw(): void {
  if (dirty && !frozen) {
    sweeps.forEach((s) => s.draw(look));
    if (state) tachogram.draw(state.at);
    dirty = false;
  }
  requestAnimationFrame(draw);
}

const next = (all: number[], now: number): number => all[(all.indexOf(now) + 1) % all.length] ?? now;
const help = byId<HTMLDialogElement>("help");
const acts: Record<string, () => void> = {
  " ": () => {
    frozen = !frozen;
    byId("b-freeze").setAttribute("aria-pressed", String(frozen));
    byId("frozen").hidden = !frozen;
  },
  g: () => { look.gain = next(GAINS, look.gain); scales(); dirty = true; },
  s: () => { look.speed = next(SPEEDS, look.speed); scales(); dirty = true; },
  e: () => byId("events").focus(),
  "?": () => { if (help.open) help.close(); else help.showModal(); },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target instanceof HTMLButtonElement) return;
  const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) { event.preventDefault(); act(); }
});
for (const [id, key] of [["b-freeze", " "], ["b-gain", "g"], ["b-speed", "s"], ["b-help", "?"]] as const)
  byId(id).addEventListener("click", () => acts[key]?.());
byId("b-close").addEventListener("click", () => help.close());
window.addEventListener("resize", () => { dirty = true; });

const connection = connect({
  message: onMessage,
  alarm: listAlarm,
  link: (open) => {
    byId("link").dataset["state"] = open ? "on" : "lost";
    if (!open) text("link", "connection lost");
  },
});
setInterval(age, 250);
requestAnimationFrame(draw);
