/** What a numbered block says about the blocks before it. */
import type { Block } from "./messages";

export interface Place { seq: number; turn: number; next: number }
/** `next` and all places of samples are the page's own: `base` after the server's, who may have begun again. */
export const NOWHERE: Place = { seq: 0, turn: -1, next: -1 };

/** A block on the samples of the page. */
export const shifted = (b: Block, base: number): Block =>
  base === 0 ? b : { ...b, first: b.first + base, beats: b.beats.map(([r, ...rest]) => [r + base, ...rest]) };

/** Samples that nobody has: of `silent` [s] without a block, less those that wait since a server began again. */
export const missing = (silent: number, hz: number, waiting: number): number => Math.max(1, Math.round(silent * hz) - waiting);

/** Where the stream stands after a block, how many blocks were missed, and whether time began anew. */
export function follow(before: Place, b: Block): { place: Place; lost: number; anew: boolean } {
  const anew = b.turn !== before.turn || b.first < before.next || b.seq <= before.seq;
  const lost = anew || before.seq === 0 ? 0 : b.seq - before.seq - 1;
  return { place: { seq: b.seq, turn: b.turn, next: b.first + (b.data[0]?.length ?? 0) }, lost, anew };
}
