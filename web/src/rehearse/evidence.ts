/** The drawer: what an answer rests on, and who stands for it. */
import { make } from "../page";
import type { Case, Evidence } from "./api";

function listed(head: string, lines: string[]): HTMLElement[] {
  if (!lines.length) return [];
  const list = make("ul");
  list.append(...lines.map((line) => make("li", "", line)));
  return [make("h3", "", head), list];
}

/** What few open: it can be looked up, and stands in nobody's way. */
function folded(head: string, lines: string[]): HTMLElement {
  const box = make("details"), list = make("ul");
  list.append(...lines.map((line) => make("li", "", line)));
  box.append(make("summary", "", `${head} (${lines.length})`), list);
  return box;
}

const VERDICTS: Record<string, string> = { in: "the model applies", edge: "read with care", out: "numbers are withheld: the model does not apply" };

export function drawer(evidence: Evidence): HTMLElement {
  const box = make("details", "evidence"), { applicability, provenance } = evidence;
  box.append(
    make("summary", "", `Evidence: ${VERDICTS[applicability.verdict] ?? applicability.verdict}`),
    ...listed("Applicability", applicability.reasons), ...listed("What would help most", applicability.would_help), ...listed("Assumptions", evidence.assumptions),
    folded("Citations", evidence.citations.map((c) => `${c.text}${c.doi ? ` doi:${c.doi}` : ""}${c.verified === false && !c.text.includes("(unverified)") ? " (unverified)" : ""}`)),
    folded("Provenance", [`digest ${evidence.digest}`, `release ${provenance.release}, seed ${provenance.seed}`, ...Object.entries(provenance.inputs).map(([k, v]) => `${k} ${v}`)]),
  );
  return box;
}

/** Why an answer is read with care, or not at all, and what would help: before any of its numbers. */
export function caution({ applicability: { verdict, reasons, would_help } }: Evidence): HTMLElement[] {
  if (verdict === "in") return [];
  const head = verdict === "out" ? "Numbers are withheld, the model does not apply" : "Read with care";
  const said = [make("p", "careful", `${head}: ${reasons.join("; ")}.`)];
  return would_help.length ? [...said, make("p", "soft", `What would help most: ${would_help.join("; ")}.`)] : said;
}

/** Where it stands, by whom, and what of that no longer holds. */
export function standing(found: Case): HTMLElement[] {
  const e = found.evidence, status = e?.status ?? "asked", who = e?.by ? ` by ${e.by.name}${e.by.qualification ? `, ${e.by.qualification}` : ""}` : "";
  const words = make("span", "stands", `${status === "asked" ? "draft, not played yet" : status}${status === "computed" ? "" : who}${e?.reason ? `: ${e.reason}` : ""}`);
  words.dataset["status"] = status;
  const more = [`Version ${found.version}.`, ...found.estimates.map((g) => `${g.by} guessed ${g.option}.`), status === "signed" ? "It stays as it is; an edit begins a new one." : ""].filter(Boolean);
  return [words, make("span", "soft", more.join(" ")), ...(found.stale ? [make("span", "careful", `Stale: ${found.stale}.`)] : [])];
}

/** How old it is, as a sentence: it ticks, so that it stands apart from what is announced. */
export const aged = ({ age }: Case): string => (age ? `Computed ${age}.` : "");
