import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, edit, FIRST, freeName, joined, parted, redo, undo, withSteps } from "./draft";

test("an act is parted into what and when, and joined again", () => {
  assert.deepEqual(parted("fluid 500 mL in 10 min at 60 s"), { what: "fluid 500 mL in 10 min", at: "60 s" });
  assert.deepEqual(parted("norepinephrine 0.1 ug/kg/min from 2 min for 5 min"), { what: "norepinephrine 0.1 ug/kg/min for 5 min", at: "2 min" });
  assert.deepEqual(parted("apnoea"), { what: "apnoea", at: "0 s" });
  assert.equal(joined("bleed 1 L", "5 min"), "bleed 1 L at 5 min");
});

test("an edit is undone and made again, and a new one forgets what was undone", () => {
  const changed = withSteps(FIRST, 0, () => [{ act: "apnoea at 1 s", by: "" }]);
  const one = edit(begin(FIRST), changed);
  assert.equal(undo(one).present, FIRST);
  assert.equal(redo(undo(one)).present, changed);
  assert.equal(undo(begin(FIRST)).present, FIRST);
  assert.equal(redo(edit(undo(one), FIRST)).undone.length, 0);
});

test("a new option has a name of its own", () => {
  assert.equal(freeName(FIRST), "option 4");
  assert.equal(freeName({ ...FIRST, option: [...FIRST.option, { name: "Option 5", do: [], against: [] }] }), "option 6");
});
