/** What the server says; see serve/player.py. */
export interface Channel { name: string; variable: string; unit: string; counts: number }
export interface Hello {
  type: "hello"; kind: "simulated" | "replay"; name: string; hz: number; lead: number; length: number;
  patient: { name: string; id: string; born: string; allergies: string }; channels: Channel[];
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
export type Message = Hello | Block | State;
