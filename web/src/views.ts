/** The rooms of the page: one `main` is shown at a time, named by the hash of the address. */
import { byId } from "./page";

export const VIEWS = ["bedside", "rehearse", "hood", "patient", "images"] as const;
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

/** Rooms that are fetched when first opened: entries of their own in build.mjs. */
const ROOMS = {
  rehearse: { at: "./rehearse/room.js", name: "The rehearsal room" },
  images: { at: "./images/room.js", name: "The room of pictures" },
} as const;

/** Opens a room once; `stage` is where the heart stands in it. */
export async function openRoom(view: keyof typeof ROOMS, stage: HTMLElement): Promise<void> {
  const root = byId(`view-${view}`), { at, name } = ROOMS[view];
  if (root.dataset["open"]) return;
  root.dataset["open"] = "yes";
  try {
    const { mount } = (await import(at)) as { mount(root: HTMLElement, stage: HTMLElement): void };
    root.replaceChildren();
    mount(root, stage);
  } catch (fault) {
    delete root.dataset["open"]; // so that a later visit tries again
    root.textContent = `${name} did not open: ${fault instanceof Error ? fault.message : String(fault)}`;
    if (view === "images") root.append(stage);
  }
}

/** The way to the pictures shows where the patient has any. */
export async function offerImages(): Promise<void> {
  const told = await fetch("./pictures"), found = told.ok ? ((await told.json()) as { stacks: unknown[] }) : { stacks: [] };
  document.querySelector<HTMLElement>('nav a[href="#images"]')!.hidden = found.stacks.length === 0;
}
