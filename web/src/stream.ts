/** What a numbered block says about the blocks before it. */
import type { Block } from "./messages";

export interface Place { seq: number; turn: number; next: number }
export const NOWHERE: Place = { seq: 0, turn: -1, next: -1 };

/** Where the stream stands after a block, how many blocks were missed, and whether time began anew. */
export function follow(before: Place, b: Block): { place: Place; lost: number; anew: boolean } {
  const anew = b.turn !== before.turn || b.first < before.next || b.seq <= before.seq;
  const lost = anew || before.seq === 0 ? 0 : b.seq - before.seq - 1;
  return { place: { seq: b.seq, turn: b.turn, next: b.first + (b.data[0]?.length ?? 0) }, lost, anew };
}
