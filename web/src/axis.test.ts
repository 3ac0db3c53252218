import assert from "node:assert/strict";
import { test } from "node:test";
import { Axis } from "./axis";

test("the axis runs steadily a delay behind, whatever the jitter, and never beyond what came", () => {
  const axis = new Axis(0.6);
  for (let i = 0; i < 60; i++) axis.heard(i * 0.05, i * 50 + (i % 3) * 10);
  assert.ok(Math.abs(axis.now(2960) - (2.95 - 0.6)) < 0.03);
  assert.equal(axis.now(9000), 59 * 0.05 - 0.6);
});

test("the axis never runs backwards, but jumps to a new start", () => {
  const axis = new Axis(0.6);
  for (let i = 0; i < 60; i++) axis.heard(i * 0.05, i * 50);
  const before = axis.now(3000);
  assert.equal(axis.now(2900), before);
  axis.clear();
  assert.equal(axis.now(3000), -Infinity);
  for (let i = 0; i < 20; i++) axis.heard(100 + i * 0.2, 3000 + i * 50); // four times as fast
  assert.ok(Math.abs(axis.now(3950) - 103.2) < 0.05);
});
