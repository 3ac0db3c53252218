import assert from "node:assert/strict";
import { test } from "node:test";
import { finder, readScan, type Scan } from "./scan";

/** A file as the server writes it: one tetrahedron that shrinks to half. */
function file(): ArrayBuffer {
  const base = [[0, 0, 0], [16000, 0, 0], [0, 16000, 0], [0, 0, 16000]], half = base.map((p) => p.map((x) => -x / 2));
  const binary = new ArrayBuffer(2 * 32 + 48), shorts = new Int16Array(binary, 0, 32), indices = new Uint32Array(binary, 64, 12);
  [base, half].forEach((all, b) => all.forEach((p, v) => p.forEach((x, i) => { shorts[16 * b + 4 * v + i] = x; })));
  indices.set([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3]);
  const document = {
    asset: { extras: { date: "2024-07-04", made_by: "test", phases: [0, 0.5], lv_ml: [100, 50], origin: [0, 0, 0], axes: [[1, 0, 0], [0, 1, 0], [0, 0, 1]] } },
    nodes: [{ mesh: 0, name: "left_ventricle", translation: [0.01, 0.02, 0.03], scale: [0.1, 0.1, 0.1] }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 2, targets: [{ POSITION: 1 }] }] }],
    accessors: [{ bufferView: 0, count: 4 }, { bufferView: 1, count: 4 }, { bufferView: 2, count: 12 }],
    bufferViews: [{ byteOffset: 0, byteLength: 32 }, { byteOffset: 32, byteLength: 32 }, { byteOffset: 64, byteLength: 48 }],
  };
  let text = JSON.stringify(document);
  text += " ".repeat((4 - (text.length % 4)) % 4);
  const out = new ArrayBuffer(28 + text.length + binary.byteLength), view = new DataView(out);
  view.setUint32(0, 0x46546c67, true); view.setUint32(12, text.length, true);
  new Uint8Array(out, 20).set(new TextEncoder().encode(text));
  new Uint8Array(out, 28 + text.length).set(new Uint8Array(binary));
  return out;
}

test("a file of the server comes out in the heart's axes, in millimetres, at every phase", () => {
  const scan = readScan(file()), [part] = scan.parts;
  assert.equal(scan.date, "2024-07-04");
  assert.deepEqual([scan.full, scan.least, scan.phases], [0, 1, 2]);
  // glTF (x, y, z) is RAS (-x, z, y).
  const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 0.01, `${a} is not ${b}`);
  [-10, 30, 20].forEach((x, i) => near(part!.points[i]!, x));
  const far = (16000 / 32767) * 100;
  near(part!.points[3]!, -10 - far);
  near(part!.points[3 * 4 + 3]!, -10 - far / 2);
  assert.equal(part!.triangles.length, 12);
});

test("bytes of another kind are refused", () => {
  assert.throws(() => readScan(new ArrayBuffer(64)), /no GLB/);
});

const beat = { phases: 8, lv: [140, 120, 80, 50, 45, 90, 110, 138], full: 0, least: 4 } as unknown as Scan;

test("a volume has one phase while the ventricle ejects and another while it fills", () => {
  const find = finder(beat);
  const out = { ...find(100, 140, 1, 0) };
  assert.deepEqual([out.from, out.to, out.share], [1, 2, 0.5]);
  const back = { ...find(100, 140, 0, 1) };
  assert.deepEqual([back.from, back.to, back.share], [5, 6, 0.5]);
});

test("at every volume that was pictured the mesh has that volume", () => {
  const find = finder(beat);
  for (const [aortic, mitral] of [[1, 0], [0, 1]] as const) for (let v = 45; v <= 140; v += 0.5) {
    const { from, to, share, beyond } = find(v, 140, aortic, mitral), shown = beat.lv[from]! + share * (beat.lv[to]! - beat.lv[from]!);
    assert.ok(Math.abs(shown - v) < 1e-9, `${v}: ${shown}`);
    assert.equal(beyond, false);
  }
});

test("what was never pictured stays at the nearest, and is told", () => {
  const find = finder(beat);
  assert.deepEqual({ ...find(200, 200, 1, 0) }, { from: 0, to: 1, share: 0, beyond: true });
  const low = { ...find(20, 140, 1, 0) };
  assert.deepEqual([low.to, low.share, low.beyond], [4, 1, true]);
});

test("shut valves: a full ventricle is about to eject, a resting one still fills", () => {
  const find = finder(beat);
  assert.equal(find(139, 140, 0, 0).from, 0);
  assert.equal(find(110, 140, 0, 0).to, 6);
});
