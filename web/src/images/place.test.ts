import assert from "node:assert/strict";
import { test } from "node:test";
import { type Affine, alike, crossing, side, toIndex, toSpace, type Vec3 } from "./place";

const AXIAL: Affine = [[-1.5, 0, 0, 90], [0, -1.5, 0, 120], [0, 0, 5, -40], [0, 0, 0, 1]];
const SAGITTAL: Affine = [[0, 0, 4, -20], [-2, 0, 0, 100], [0, -2, 0, 80], [0, 0, 0, 1]];
const OBLIQUE: Affine = [[0.9, -0.4, 1.2, 4], [0.5, 1.1, -2, 30], [-0.2, 0.6, 5, -9], [0, 0, 0, 1]];

test("a voxel goes to the body and back, also of a plane that leans", () => {
  for (const affine of [AXIAL, SAGITTAL, OBLIQUE]) {
    const at: Vec3 = [12.5, 7, 3], back = toIndex(affine, toSpace(affine, at));
    back.forEach((x, n) => assert.ok(Math.abs(x - at[n]!) < 1e-9));
  }
  assert.deepEqual(toSpace(AXIAL, [0, 0, 2]), [90, 120, -30]);
});

test("planes at right angles cross in a line at the height of the one in the other", () => {
  assert.ok(alike(AXIAL, SAGITTAL) < 1e-12);
  assert.ok(Math.abs(alike(AXIAL, AXIAL) - 1) < 1e-12);
  const axial = { affine_ras_mm: AXIAL, shape: [120, 160, 30] }, sagittal = { affine_ras_mm: SAGITTAL, shape: [100, 90, 10] };
  const line = crossing(axial, 12, sagittal, 4)!; // height 20 mm, in the sagittal picture row (80 - 20) / 2
  assert.ok(Math.abs(line[1] - 30) < 1e-9 && Math.abs(line[3] - 30) < 1e-9);
  assert.deepEqual([line[0], line[2]].sort((a, b) => a - b), [0, 99]);
  assert.equal(crossing(axial, 60, sagittal, 4), null);
});

test("sides of a person are named by where a direction points", () => {
  assert.equal(side([-1, 0, 0]), "L");
  assert.equal(side([0.05, -0.72, 0.69]), "PH");
});
