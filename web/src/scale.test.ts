import assert from "node:assert/strict";
import { test } from "node:test";
import { steady, stepOf, ticks } from "./scale";

test("a step is 1, 2 or 5 times a power of ten, and two to five of them span the spread", () => {
  for (let e = -6; e < 6; e += 0.0731) {
    const spread = 10 ** e, step = stepOf(spread), digit = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
    assert.ok([1, 2, 5].some((d) => Math.abs(d - digit) < 1e-6), `${step}`);
    assert.ok(spread / step > 1.5 && spread / step <= 4 + 1e-9, `${spread} / ${step}`);
  }
});

test("a range holds its values, grows at once, and shrinks only when half of it is empty", () => {
  const first = steady(null, 71, 118);
  assert.deepEqual([first.low, first.high], [60, 120]);
  assert.equal(steady(first, 74, 112), first);
  assert.ok(steady(first, 71, 131).high >= 131);
  assert.ok(steady(first, 90, 100).high - steady(first, 90, 100).low < 60);
  const flat = steady(null, 0, 0);
  assert.ok(flat.high > flat.low);
});

test("ticks are round, inside the range and no more than asked for", () => {
  assert.deepEqual(ticks({ low: 60, high: 120, step: 20 }, 9), [60, 80, 100, 120]);
  assert.deepEqual(ticks({ low: 80, high: 120, step: 10 }, 3), [80, 100, 120]);
  assert.deepEqual(ticks({ low: 80, high: 120, step: 10 }, 1), [80, 120]);
});
