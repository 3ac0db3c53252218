import assert from "node:assert/strict";
import { test } from "node:test";
import { restingFrame } from "../heart/frame";
import { type Beat, beatAt, timing } from "./beat";

const BEAT: Beat = { rate: 72, lv: { diastolic: 120, systolic: 50 }, rv: { diastolic: 130, systolic: 60 } };

test("a beat begins and ends full, and is empty when its outflow shuts", () => {
  const frame = restingFrame(), { shut } = timing(72);
  beatAt(frame, BEAT, 0, 120);
  assert.equal(frame.volume.lv, 120);
  beatAt(frame, BEAT, shut, 120);
  assert.ok(Math.abs(frame.volume.lv - 50) < 1e-9 && Math.abs(frame.volume.rv - 60) < 1e-9);
  beatAt(frame, BEAT, 0.999999, 120);
  assert.ok(Math.abs(frame.volume.lv - 120) < 0.01);
});

test("in and outflow are never open together, at any rate", () => {
  const frame = restingFrame();
  for (const rate of [30, 72, 120, 180, 220]) for (let k = 0; k < 200; k++) {
    beatAt(frame, { ...BEAT, rate }, k / 200, 120);
    assert.ok(frame.opening.mitral * frame.opening.aortic === 0, `${rate}/min, ${k / 200}`);
    assert.ok(frame.volume.lv >= 50 - 1e-9 && frame.volume.lv <= 120 + 1e-9 && frame.wall.lv > 0 && frame.opening.mitral <= 1);
  }
});

test("systole keeps its length where diastole gives way: e 0.35 at 72/min", () => {
  const { open, shut } = timing(72);
  assert.ok(Math.abs(shut - open - 0.356) < 0.005);
  assert.ok(timing(120).shut - timing(120).open > 0.42);
});

test("the wall thickens as the cavity empties", () => {
  const frame = restingFrame();
  beatAt(frame, BEAT, 0, 120);
  const thin = frame.wall.lv;
  assert.ok(Math.abs(thin - 9.5) < 1e-6);
  beatAt(frame, BEAT, timing(72).shut, 120);
  assert.ok(frame.wall.lv > 1.3 * thin);
});
