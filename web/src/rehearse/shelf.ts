/** The rehearsals of this patient: what was asked, where it stands, by whom and when; each can be opened again. */
import { make } from "../page";
import type { Listed, Row } from "./api";

const when = (seconds: number | null): string => (seconds === null ? "not played" : new Date(1e3 * seconds).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }));

export function shelf(listed: Listed, present: string, open: (id: string) => void): HTMLElement {
  const box = make("details", "shelf"), list = make("ul"), rows = [...listed.rehearsals].reverse();
  box.append(make("summary", "", `Rehearsals of this patient (${rows.length})`), make("p", "soft", listed.kept), list);
  list.append(...rows.map((row) => line(row, row.id === present, open)));
  return box;
}

function line(row: Row, here: boolean, open: (id: string) => void): HTMLElement {
  const item = make("li"), button = make("button", "", here ? "Open here" : "Open"), words = make("span");
  button.type = "button"; button.disabled = here;
  button.setAttribute("aria-label", `open ${row.question}, version ${row.version}`);
  button.addEventListener("click", () => open(row.id));
  words.append(make("b", `status ${row.status}`, row.status === "asked" ? "draft" : row.status), ` ${row.question} `, make("span", "soft", `version ${row.version}, ${row.options.length} options, ${when(row.at)}${row.by ? `, ${row.by}` : ""}`));
  if (row.stale) words.append(make("span", "aged", ` stale: ${row.stale.split(";")[0]}`));
  item.append(button, words);
  return item;
}
