/** The drawer: what an answer rests on, and who stands for it. */
import { make } from "../page";
import type { Case, Evidence } from "./api";

function listed(head: string, lines: string[]): HTMLElement[] {
  if (!lines.length) return [];
  const list = make("ul");
  list.append(...lines.map((line) => make("li", "", line)));
  return [make("h3", "", head), list];
}

const VERDICTS: Record<string, string> = { in: "the model applies", edge: "read with care", out: "numbers are withheld: the model does not apply" };

export function drawer(evidence: Evidence): HTMLElement {
  const box = make("details", "evidence"), { applicability, provenance } = evidence;
  box.append(
    make("summary", "", `Evidence: ${VERDICTS[applicability.verdict] ?? applicability.verdict}`),
    ...listed("Applicability", applicability.reasons), ...listed("What would help most", applicability.would_help), ...listed("Assumptions", evidence.assumptions),
    ...listed("Citations", evidence.citations.map((c) => `${c.text}${c.doi ? ` doi:${c.doi}` : ""}${c.verified === false && !c.text.includes("(unverified)") ? " (unverified)" : ""}`)),
    ...listed("Provenance", [`digest ${evidence.digest}`, `release ${provenance.release}, seed ${provenance.seed}`, ...Object.entries(provenance.inputs).map(([k, v]) => `${k} ${v}`)]),
  );
  if (applicability.verdict !== "in") box.open = true;
  return box;
}

export function standing(found: Case | null): string {
  if (!found) return "Not kept yet.";
  const e = found.evidence, who = e?.by ? ` by ${e.by.name}${e.by.qualification ? `, ${e.by.qualification}` : ""}` : "";
  const words = e ? `${e.status}${e.status === "computed" ? "" : who}${e.reason ? `: ${e.reason}` : ""}` : "asked";
  const guesses = found.estimates.map((g) => `${g.by} guessed ${g.option}`).join("; ");
  return [`Version ${found.version}, ${words}.`, guesses && `${guesses}.`, found.stale && `Careful: ${found.stale}.`].filter(Boolean).join(" ");
}
