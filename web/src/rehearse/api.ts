/** The server's rehearsal room: what it is asked, and what it says. A refusal is its own sentence. */
import type { Draft } from "./draft";

export interface Act { name: string; form: string; meaning: string; role: string; also: string[]; takes: { word: string; unit: string; default: string | null }[] }
export interface Acts { acts: Act[]; roles: string[] }
export interface Unit { unit: string; factor: number; offset: number; label: string }
export interface Course { low: (number | null)[]; median: (number | null)[]; high: (number | null)[] }
/** When members are beyond a complication's level, [from, to, largest share of the members] each. */
export interface Span { name: string; measure: string; spans: [number, number, number][] }
/** `beyond`: of each option. */
export interface Frames { times: number[]; options: string[]; measures: Record<string, Unit & { bands: Course[] }>; beyond: Span[][] }
type Triple = [number, number, number];
export interface Chance { name: string; count: number; members: number; low: number; chance: number; high: number; first: number | null; before: number }
export interface Judged { name: string; rank: number; loss: Triple; regret: Triple; chances: Chance[]; dominated: string[]; against: string[]; lost: number }
export interface Difference { first: string; second: string; measure: string; when: string; low: number | null; median: number | null; high: number | null; noise: boolean; why: string }
export interface ChanceDifference { first: string; second: string; name: string; low: number; difference: number; high: number }
export interface Comparison { question: string; members: number; options: Judged[]; differences: Difference[]; chance_differences: ChanceDifference[] }
export interface Evidence {
  digest: string; status: string; reason: string; by: { name: string; qualification: string } | null; withheld: boolean; assumptions: string[];
  applicability: { verdict: string; reasons: string[]; would_help: string[] };
  citations: { text: string; doi?: string; verified?: boolean }[];
  provenance: { release: string; seed: number; inputs: Record<string, string>; computed_at: number };
}
export interface Estimate { by: string; option: string; reason: string }
/** What was signed: begun when [s since 1970]; shares of the readings inside its 90 %, once it is over. */
export interface Signed { option: string; begun: number | null; inside_90: Record<string, number> | null }
/** `stale`: what has changed since it was answered; `age`: until when it knows the patient; clauses, empty where there is none. */
export interface Case { plan: Signed | null; id: string; version: number; rehearsal: Draft; estimates: Estimate[]; evidence: Evidence | null; comparison: Comparison | null; stale: string; age: string }
export interface Result {
  played: string;
  evidence: Evidence; comparison: Comparison | null; choices: { name: string; verdict: string; against: string[] }[] | null;
  units: Record<string, Unit>; thresholds: Record<string, { meaning: string; source: string }>; frames: Frames | null; case?: Case;
}
/** `at`: when it was answered [s since 1970]; `by`: who decided on it. */
export interface Row { id: string; question: string; version: number; status: string; options: string[]; by: string; at: number | null; stale: string; age: string }
export interface Listed { kept: string; durable: boolean; rehearsals: Row[] }
/** What is found when one is opened again; a result that the server no longer has is null. */
export interface Reopened extends Case { result: Result | null; playing: boolean }

export class Refused extends Error {
  constructor(said: string, readonly present: Case | null = null) { super(said); }
}

async function checked(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  const said = (await answer.json().catch(() => ({}))) as { error?: string; present?: Case };
  throw new Refused(said.error ?? `The server answered ${answer.status}.`, said.present ?? null);
}

export const get = async <T>(path: string): Promise<T> => (await (await checked(await fetch(`./rehearsals${path}`))).json()) as T;

const posted = async (path: string, body: unknown): Promise<Response> =>
  checked(await fetch(`./rehearsals${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }));

export const post = async <T>(path: string, body: unknown): Promise<T> => (await (await posted(path, body)).json()) as T;

/** Why parts of it cannot be, or are above the usual range, by name: question, for, before, option 2, option 2 act 1, else rehearsal. */
export interface Checked { wrong: Record<string, string>; unusual: Record<string, string> }
export const checkedAs = (rehearsal: unknown): Promise<Checked> => post<Checked>("/check", { rehearsal });

/** Why an act cannot be added to a rehearsal of this length; empty where it can. */
export const wrongAct = async (act: string, length: string): Promise<string> =>
  (await checkedAs({ question: "Can this be?", for: length, option: [{ name: ".", do: [act] }, { name: ".." }] })).wrong["option 1 act 1"] ?? "";

/** Plays a rehearsal; each event is told as it comes. */
export async function play(id: string, told: (event: string, content: unknown) => void): Promise<void> {
  const reader = (await posted(`/${id}/play`, {})).body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader?.read(); reader && part && !part.done; part = await reader.read()) {
    const blocks = (rest + part.value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [name, data] = block.split("\n");
      if (name && data) told(name.replace("event: ", ""), JSON.parse(data.replace("data: ", "")));
    }
  }
}
