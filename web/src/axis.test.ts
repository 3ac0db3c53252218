import assert from "node:assert/strict";
import { test } from "node:test";
import { Axis } from "./axis";

const LATE = 0.57; // [s] behind the quickest block: 0.6 s behind the sensors, less the way to the screen

test("the axis runs steadily a delay behind, whatever the jitter", () => {
  const axis = new Axis(0.6);
  for (let i = 0; i < 400; i++) axis.heard(i * 0.05, i * 50 + (i % 5) * 17); // up to 68 ms late
  for (let wall = 19_950; wall < 20_150; wall += 16) assert.ok(Math.abs(axis.now(wall) - (wall / 1e3 - LATE)) < 1e-6);
});

test("a pause of the way moves nothing, and what is not decided is not shown", () => {
  const axis = new Axis(0.6);
  for (let i = 0; i < 60; i++) axis.heard(i * 0.05, i * 50);
  assert.ok(Math.abs(axis.now(3_150) - (3.15 - LATE)) < 1e-6);
  assert.equal(axis.now(4_900), 59 * 0.05 - 0.35);
  for (let i = 60; i < 100; i++) axis.heard(i * 0.05, 4_960 + i * 0.1); // all that was held up
  assert.ok(Math.abs(axis.now(5_100) - (5.1 - LATE)) < 1e-6);
});

test("the axis never runs backwards, but jumps to a new start", () => {
  const axis = new Axis(0.6);
  for (let i = 0; i < 60; i++) axis.heard(i * 0.05, i * 50);
  const before = axis.now(3000);
  assert.equal(axis.now(2900), before);
  axis.clear();
  assert.equal(axis.now(3000), -Infinity);
  for (let i = 0; i < 20; i++) axis.heard(100 + i * 0.2, 3000 + i * 50); // four times as fast
  assert.ok(Math.abs(axis.now(3950) - (103.8 - LATE)) < 1e-6);
});
