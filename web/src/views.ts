/** The rooms of the page: one `main` is shown at a time, named by the hash of the address. */
import { byId } from "./page";

export const VIEWS = ["bedside", "rehearse", "hood", "patient"] as const;
export type View = (typeof VIEWS)[number];

const named = (): View => VIEWS.find((v) => `#${v}` === location.hash) ?? "bedside";

/** Shows what the address names, now and whenever it changes; `shown` is told. */
export function route(shown: (view: View) => void): void {
  const turn = (): void => {
    const view = named();
    for (const name of VIEWS) {
      byId(`view-${name}`).hidden = name !== view;
      const link = document.querySelector(`nav a[href="#${name}"]`);
      if (name === view) link?.setAttribute("aria-current", "page"); else link?.removeAttribute("aria-current");
    }
    document.body.dataset["view"] = view;
    shown(view);
  };
  addEventListener("hashchange", turn);
  turn();
}

/** The rehearsal room is a part of its own, fetched when first opened. */
export async function openRehearsal(): Promise<void> {
  const root = byId("view-rehearse");
  if (root.dataset["open"]) return;
  root.dataset["open"] = "yes";
  const room = "./rehearse/room.js"; // an entry of its own in build.mjs
  try {
    const { mountRehearsal } = (await import(room)) as { mountRehearsal(root: HTMLElement): void };
    root.replaceChildren();
    mountRehearsal(root);
  } catch (fault) {
    delete root.dataset["open"]; // so that a later visit tries again
    root.textContent = `The rehearsal room did not open: ${fault instanceof Error ? fault.message : String(fault)}`;
  }
}
