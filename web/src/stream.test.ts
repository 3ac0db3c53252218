import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, missing, NOWHERE, type Place, shifted } from "./stream";
import type { Block } from "./messages";

const block = (seq: number, turn: number, first: number): Block => ({ type: "block", seq, turn, first, data: [[1, 2]], beats: [] });
const after = (...all: Block[]): Place => all.reduce((p, b) => follow(p, b).place, NOWHERE);

test("blocks in order lose nothing, a missing one is counted", () => {
  assert.deepEqual(follow(after(block(7, 0, 20)), block(8, 0, 22)), { place: { seq: 8, turn: 0, next: 24 }, lost: 0, anew: false });
  assert.equal(follow(after(block(7, 0, 20)), block(10, 0, 26)).lost, 2);
  assert.equal(follow(NOWHERE, block(500, 0, 9000)).lost, 0, "who joins late has missed nothing");
});

test("time begins anew with a turn of the recording, and with another server", () => {
  assert.ok(follow(after(block(7, 0, 20)), block(8, 1, 0)).anew);
  const restarted = follow(after(block(700, 0, 20_000)), block(1, 0, 0));
  assert.deepEqual([restarted.anew, restarted.lost], [true, 0]);
});

test("a patient goes on behind a gap where a server began again", () => {
  const later = shifted({ ...block(1, 0, 0), beats: [[1, "N", 0.8, 0.3]] }, 5000);
  assert.deepEqual([later.first, later.beats[0]![0]], [5000, 5001]);
  assert.equal(missing(8, 250, 500), 1500, "of eight seconds, two wait");
  assert.equal(missing(1, 250, 5000), 1, "a server that plays faster than time leaves a gap all the same");
});
