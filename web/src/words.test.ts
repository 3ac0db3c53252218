import assert from "node:assert/strict";
import { test } from "node:test";
import { fresh, level, pace, position, quality, rhythm, seconds, STARS } from "./words";

test("ages and places read well at every length", () => {
  assert.deepEqual([0, 9.94, 9.96, 59.6, 119.4, 185].map(seconds), ["0.0 s", "9.9 s", "10 s", "60 s", "119 s", "3 min"]);
  assert.deepEqual([0, 25.9, 600, 3605].map(position), ["0:00", "0:25", "10:00", "1:00:05"]);
});

test("a lost lead outranks what the rhythm was, and what is unknown is shown as it came", () => {
  assert.equal(rhythm({ rhythm: "sinus", lead_off: true }).word, "Lead off");
  assert.deepEqual(rhythm({ rhythm: "torsades", lead_off: false }), { word: "torsades", note: "", priority: "none" });
  assert.equal(rhythm({ rhythm: "asystole", lead_off: false }).priority, "high");
});

test("a priority is told by more than its colour", () => {
  assert.equal(new Set(Object.values(STARS)).size, 3);
});

test("quality has a word at each weight", () => {
  assert.deepEqual([1, 0.7, 0.69, 0.3, 0.29, 0].map(level), ["good", "good", "doubt", "doubt", "bad", "bad"]);
  assert.equal(quality(0.5), "In doubt 0.50");
});

test("a channel is live under a second; silence of the server counts", () => {
  assert.deepEqual(fresh(0.1, 0), { said: "live", gap: false });
  assert.deepEqual(fresh(0.1, 3), { said: "no data for 3.1 s", gap: true });
  assert.deepEqual(fresh(null, 0), { said: "no data yet", gap: true });
});

test("a pace has the interval of its count", () => {
  const round = ({ value, low, high }: ReturnType<typeof pace>): number[] => [value, low, high].map((x) => Number(x.toFixed(1)));
  assert.deepEqual(round(pace(0, 1)), [0, 0, 3]); // exact: 0 to 3.00
  assert.deepEqual(round(pace(10, 2)), [5, 2.7, 8.5]); // exact: 5.43 to 16.96 events
});
