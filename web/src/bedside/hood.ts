/** Under the hood: each unknown before and after the data, and which data told it. */
import type { Belief, Span, Unknown } from "../messages";
import { byId, make, text } from "../page";
import { figures, plain, unit } from "../words";

/** Words of the ward for what the model calls otherwise. */
const KNOWN_AS: Record<string, string> = {
  systemic_resistance: "Systemic vascular resistance", pulmonary_resistance: "Pulmonary vascular resistance", lv_elastance: "LV contractility (elastance)", rv_elastance: "RV contractility (elastance)",
};
const WIDE = 260, TALL = 30, NS = "http://www.w3.org/2000/svg";

function shape(name: string, of: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(of)) made.setAttribute(key, String(value));
  return made;
}

/** Prior above, posterior below, on an axis that holds both. */
function bars(u: Unknown): SVGElement {
  const low = Math.min(u.prior.low, u.posterior.low), high = Math.max(u.prior.high, u.posterior.high), x = (v: number): number => 4 + ((v - low) / (high - low || 1)) * (WIDE - 8);
  const svg = shape("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, role: "img", "aria-label": `before ${said(u.prior)}, now ${said(u.posterior)}` });
  const bar = (s: Span, y: number, kind: string): void => {
    svg.append(shape("rect", { x: x(s.low), y, width: Math.max(2, x(s.high) - x(s.low)), height: 9, rx: 2, class: kind }), shape("line", { x1: x(s.median), x2: x(s.median), y1: y - 2, y2: y + 11, class: `${kind} median` }));
  };
  bar(u.prior, 3, "prior"); bar(u.posterior, 18, u.informed ? "posterior" : "posterior blind");
  return svg;
}
const said = (s: Span): string => `${figures(s.median)} (${figures(s.low)}–${figures(s.high)})`;

function row(u: Unknown): HTMLTableRowElement {
  const tr = make("tr", u.informed ? "" : "blind"), name = make("th"), share = make("td", "share"), by = make("td", "by");
  name.scope = "row";
  name.append(make("b", "", KNOWN_AS[u.name] ?? plain(u.name)), make("span", "", u.plain));
  const chart = make("td", "chart");
  chart.append(bars(u));
  share.textContent = u.informed ? `${Math.round(100 * u.informed_share)} %` : "not informed by the data";
  by.textContent = u.by.slice(0, 3).map((b) => `${plain(b.variable)} ${Math.round(100 * b.share)} %`).join(", ") || "none by itself";
  const now = make("td", "num");
  now.append(make("b", "", said(u.posterior)), ` ${unit(u.unit)}`, make("span", "soft", `before ${said(u.prior)}`));
  tr.append(name, chart, now, share, by);
  return tr;
}

export function showBelief(b: Belief): void {
  byId("beliefs").replaceChildren(...b.unknowns.map(row));
  const informed = b.unknowns.filter((u) => u.informed).length;
  text("hood-sum", `${b.readings} readings tell ${informed} of ${b.unknowns.length} unknowns. Of the others the twin knows only what is known of people of this age, sex and size: treat what rests on them with care.`);
  text("hood-digest", b.digest);
}
