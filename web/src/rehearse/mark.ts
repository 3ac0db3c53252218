/** What an option looks like wherever it stands: a letter and a colour, of which the letter is enough. */
import { make } from "../page";

/** Colours of Okabe and Ito (2008), which the colour-blind tell apart; more options begin again, with other letters. */
export const COLOURS = ["#56b4e9", "#e69f00", "#2fc59a", "#f0e442", "#d98cb8"];

export const colourOf = (option: number): string => COLOURS[option % COLOURS.length] ?? "";
export const letterOf = (option: number): string => String.fromCharCode(65 + option);

/** The letter of an option in its colour. */
export function badge(option: number): HTMLElement {
  const made = make("span", "badge", letterOf(option));
  made.style.background = colourOf(option);
  return made;
}

/** An option's letter and name. */
export function named(option: number, name: string): HTMLElement {
  const made = make("span", "named");
  made.append(badge(option), make("b", "", name));
  return made;
}
