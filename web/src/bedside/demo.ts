/** The demonstration: acts on the simulated patient, and the sealed truth beside the belief. */
import type { Hello } from "../messages";
import { byId, make, text } from "../page";
import { figures, plain, unit } from "../words";

interface Miss { name: string; unit: string; truth: number; low?: number; median?: number; high?: number; inside?: boolean }
interface Unsealed { seal: string; text: string; done: string[]; died: boolean; unknowns: Miss[]; inside: number; of: number }

async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const said = (await answer.json()) as T & { error?: string };
  if (!answer.ok) throw new Error(said.error ?? `the server answered ${answer.status}`);
  return said;
}

async function attempt(work: () => Promise<string>): Promise<void> {
  try { text("demo-said", await work()); } catch (fault) { text("demo-said", fault instanceof Error ? fault.message : String(fault)); }
}

/** Does it, and says to what. */
export async function done(act: string): Promise<string> {
  const said = await post<{ done: string; to: string }>("/demo/act", { act });
  return `Done to the ${said.to}: ${said.done}`;
}

/** Offers the acts of this demonstration; without any there is nothing to open. */
export function offer(h: Hello): void {
  byId("b-demo").hidden = !h.acts?.length;
  text("seal", h.seal ?? "");
  byId("acts").replaceChildren(...(h.acts ?? []).map((act) => {
    const button = make("button", "", act);
    button.type = "button";
    button.addEventListener("click", () => void attempt(() => done(act)));
    return button;
  }));
}

async function digest(words: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(words)));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export async function unseal(): Promise<void> {
  await attempt(async () => {
    const open = await post<Unsealed>("/demo/unseal", {}), holds = (await digest(open.text)) === open.seal;
    byId("truth").replaceChildren(...open.unknowns.map((u) => {
      const row = make("tr", u.inside === false ? "miss" : ""), name = make("th", "", plain(u.name));
      name.scope = "row";
      row.append(name, make("td", "num", figures(u.truth)), make("td", "num", u.low === undefined ? "–" : `${figures(u.low)}–${figures(u.high!)}`), make("td", "soft", unit(u.unit)), make("td", "", u.inside === undefined ? "not told" : u.inside ? "inside" : "missed"));
      return row;
    }));
    byId("truth-table").hidden = false;
    return `${open.inside} of ${open.of} truths lie inside the twin's 90 % intervals. ${holds ? "The text is the one that was sealed." : "The text is NOT the one that was sealed."}`;
  });
}
