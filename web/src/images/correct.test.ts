import assert from "node:assert/strict";
import { test } from "node:test";
import type { Loop } from "./api";
import { evenly, pulled } from "./correct";

const SQUARE: Loop = [[0, 0], [8, 0], [8, 8], [0, 8]];

test("corners lie at even steps on the contour, the joining side too", () => {
  assert.deepEqual(evenly(SQUARE, 8), [[0, 0], [4, 0], [8, 0], [8, 4], [8, 8], [4, 8], [0, 8], [0, 4]]);
  assert.equal(evenly(SQUARE).length, 16);
});

test("a pulled corner goes where it is pulled, its neighbours go along less, the far side stays", () => {
  const made = pulled(evenly(SQUARE), 0, [-3, 0]);
  assert.deepEqual(made[0], [-3, 0]);
  const moved = made.map(([x], n) => evenly(SQUARE)[n]![0] - x);
  assert.ok(moved[1]! > 1.5 && moved[1]! < 3 && Math.abs(moved[1]! - moved[15]!) < 1e-9);
  assert.ok(moved[8]! < 1e-6);
});
