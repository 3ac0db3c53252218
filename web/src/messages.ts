/** What the server says; see serve/player.py and serve/live_messages.py. */
import type { Cycle } from "./heart/clock";

export interface Channel { name: string; variable: string; unit: string; counts: number }
export interface Hello {
  type: "hello"; kind: "simulated" | "replay" | "composite"; name: string; hz: number; lead: number; length: number;
  /** Of the page behind the sensors [s]; seal and acts of a demonstration only. */
  display_delay?: number; /** Where the server was when it said so. */ sample?: number; run?: string; seal?: string; acts?: string[];
  /** `composite`: what of several people is put together here. */
  patient: { name: string; id: string; born: string; allergies: string; composite?: string }; channels: Channel[];
}
export type Kind = "N" | "S" | "V";
/** R sample, class, RR [s], decision delay [s]. */
export type BeatRow = [number, Kind, number, number];
export interface Block {
  type: "block"; seq: number; turn: number; first: number; data: (number | null)[][]; beats: BeatRow[];
}
export interface State {
  type: "state"; n: number; lag: number; turn: number; at: number; sample: number;
  hr: { value: number; low: number; high: number; age: number } | null;
  beat_age: number | null; rhythm: string; quality: { weight: number; reason: string; age: number } | null;
  pressure: Pressure | null; delay: { last: number; p95: number } | null;
  lead_off: boolean; active: Standing[];
  /** Age of the newest sample of each channel [s]; null before the first. */
  ages: (number | null)[];
}
/** Of the last beat, and the range of the systolic over the last `beats` [mmHg], [s]. */
export interface Pressure {
  systolic: number; diastolic: number; mean: number; low: number; high: number; beats: number; age: number;
}
export type Priority = "high" | "medium" | "low";
/** A condition that holds, and since when [s since 1970]. */
export interface Standing { code: string; text: string; priority: Priority; clock: number }
export interface Alarm {
  id: number; code: string; text: string; priority: Priority; on: boolean; at: number; clock: number;
}
/** One number: value and the interval that holds `level` of it; `age` of the newest reading it rests on [s]. */
export interface Quantity {
  label: string; value: number; low: number; high: number; unit: string; origin: "measured" | "simulated";
  age: number | null; stale: boolean; level: number; device: string;
}
export interface Finding { kind: "sensor" | "patient"; text: string; clock: number }
export interface Twin {
  type: "twin"; status: "none" | "building" | "live" | "failed"; said: string; share: number; clock: number; digest: string;
  age: number | null; folded: number; numbers: Record<string, Quantity>; readings: Record<string, Quantity>; findings: Finding[];
  /** Why no simulated number is told; empty where they are. */
  withheld: string;
}
export interface Span { median: number; low: number; high: number }
export interface Band { value: number[]; low: number[]; high: number[] }
/** One settled beat of the twin; `loops` are volume [mL] and pressure [mmHg] of the left ventricle of some members. */
export interface CycleMessage extends Pick<Cycle, "chambers" | "valves"> {
  type: "cycle"; belief_clock: number; members: number; loops: [number[], number[]][]; wall_note: string;
  /** Of the beat, [s]. */
  length: Span; pre_ejection: Span; ejection: Span;
}
export interface Unknown {
  name: string; plain: string; unit: string; prior: Span; posterior: Span; informed: boolean; informed_share: number; said: string;
  by: { variable: string; share: number }[];
}
export interface Belief { type: "belief"; digest: string; readings: number; unknowns: Unknown[]; unused: Record<string, string> }
export interface Forecast { type: "forecast"; clock: number; minutes: number[]; outputs: Record<string, Band>; units: Record<string, string>; failed: number }
/** Of one output: the band that was signed, and what was read at minutes after the plan began. */
export interface PlanCourse { label: string; unit: string; minutes: number[]; band: Band; at: number[]; read: number[] }
/** The patient, or one device alone, left the band [s since 1970]. */
export interface Left { kind: "patient" | "device"; text: string; since: number; clock: number }
/** What may be why; those that the readings do not tell apart share a rank. */
export interface Cause { cause: string; rank: number; share: number; severity: string }
/** Shares of the readings in the central 50 and 90 %; CRPS in the output's unit. */
export interface Held { readings: number; inside_50: number; inside_90: number; crps: number }
/** A signed plan that was begun; `causes`, the likeliest first; `scores`, once it is over. */
export interface Plan {
  type: "plan"; id: string; question: string; option: string; begun: number; minute: number; minutes: number; over: boolean;
  courses: Record<string, PlanCourse>; left: Left | null; causes: Cause[]; why_not: string; scores: Record<string, Held>;
}
export type Message = Hello | Block | State | Twin | CycleMessage | Belief | Forecast | Plan;
