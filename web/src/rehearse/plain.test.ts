import assert from "node:assert/strict";
import { test } from "node:test";
import type { Comparison, Judged } from "./api";
import { clock, percent, rounded, said } from "./figures";
import { against, headline, place } from "./plain";

const judged = (name: string, rank: number, loss: number, regret: number): Judged => ({
  name, rank, loss: [loss - 1, loss, loss + 1], regret: [regret - 2, regret, regret + 2], chances: [], dominated: [], against: [], lost: 0,
});
const told = (...options: Judged[]): Comparison => ({
  question: "", members: 128, options, differences: [],
  chance_differences: [
    { first: "wait", second: "bleed", name: "low output", low: 0.2, difference: 0.35, high: 0.48 },
    { first: "wait", second: "bleed", name: "arrest", low: -0.02, difference: 0.01, high: 0.04 },
  ],
});

test("the headline says what is better, by how much, and what is within the noise", () => {
  const alone = headline(told(judged("bleed", 2, 20, 18), judged("wait", 1, 2, 0)));
  assert.equal(alone, "“wait” is surely better than “bleed”. Expected regret of choosing “bleed”: 18 (16 to 20), where an arrest counts 100.");
  assert.match(headline(told(judged("bleed", 1, 3, 1), judged("wait", 1, 2, 0))), /^None is surely better: they differ within the noise of 128 members\. The least is expected to go wrong with “wait”\.$/);
  assert.match(headline(told(judged("a", 1, 3, 1), judged("b", 1, 2, 0), judged("c", 3, 30, 28))), /^“b” and “a” are within the noise of each other, and surely better than “c”\./);
  assert.match(headline(told(judged("a", 1, 0, 0), judged("b", 1, 0, 0))), /^Nothing that is looked for went wrong in any of 128 members/);
});

test("a chance is turned to the option that is told of, and noise is named", () => {
  const both = told(judged("bleed", 2, 20, 18), judged("wait", 1, 2, 0));
  assert.deepEqual(against(both, "bleed", "wait"), ["low output in 35 of 100 more (20 to 48)", "everything else is within the noise"]);
  assert.deepEqual(against(both, "wait", "bleed"), ["low output in 35 of 100 less (20 to 48)", "everything else is within the noise"]);
  assert.deepEqual(against(both, "wait", "nobody"), ["every complication is within the noise"]);
  assert.equal(place(both, both.options[0]!), "surely after those above");
});

test("numbers carry no more figures than they know", () => {
  assert.deepEqual([0, 0.004, 0.35, 0.995, 1].map(percent), ["0", "0.4", "35", "99.5", "100"]);
  assert.deepEqual([said(123.4), said(-1.444), said(null)], ["123", "−1.44", "—"]);
  assert.deepEqual([rounded(-0.04, 0), rounded(4.56, 1), rounded(undefined, 0)], ["0", "4.6", "—"]);
  assert.deepEqual([45, 185, 600, 4800, 7260].map(clock), ["45 s", "3:05 min", "10 min", "80 min", "2:01 h"]);
});
