import assert from "node:assert/strict";
import { test } from "node:test";
import { Ring } from "./ring";

const read = (r: Ring, a: number, b: number): number[] => Array.from({ length: b - a }, (_, i) => r.at(a + i));

test("samples are kept by their number, in the channel's unit", () => {
  const ring = new Ring(10);
  ring.push(5, [500, null, -250], 500);
  assert.deepEqual(read(ring, 4, 9), [NaN, 1, NaN, -0.5, NaN]);
});

test("a gap is a gap, never what stood there a sweep ago", () => {
  const ring = new Ring(10);
  ring.push(0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1);
  ring.push(13, [99], 1);
  assert.deepEqual(read(ring, 9, 14), [10, NaN, NaN, NaN, 99]);
  assert.ok(Number.isNaN(ring.at(3)), "the place of sample 13 holds sample 3 no more");
  assert.equal(ring.at(4), 5);
});

test("a leap over the whole ring leaves nothing of before", () => {
  const ring = new Ring(4);
  ring.push(0, [1, 2, 3], 1);
  ring.push(100, [7], 1);
  assert.deepEqual(read(ring, 97, 101), [NaN, NaN, NaN, 7]);
  ring.clear();
  assert.equal(ring.newest, -1);
});
