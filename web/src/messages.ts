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
  beat_age: number | null; rhythm: string; quality: { weight: number; reason: string } | null;
  pressure: [number, number, number] | null; delay: { last: number; p95: number } | null;
  lead_off: boolean; active: string[];
}
export type Priority = "high" | "medium" | "low";
export interface Alarm {
  id: number; code: string; text: string; priority: Priority; on: boolean; at: number; clock: number;
}
export type Message = Hello | Block | State;
