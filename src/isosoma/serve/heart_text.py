"""The reading of a heart as a cardiologist reads a report: numbers, intervals, doubts."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

__all__ = ["images_told", "report"]

_WIDE = 96
_RINGS = (("basal", 0, 6), ("mid", 6, 12), ("apical", 12, 16))


def report(told: dict[str, Any]) -> list[str]:
    """Return the lines of a report on what `heart.json` holds."""
    day = f" of {told['date']}" if told["date"] else ", date not told"
    slices = max(s["shape"][2] for s in told["stacks"])
    head = f"Heart{day}: {told['pictures']} pictures, {len(told['stacks'])} stacks"
    lines = [f"{head}, the short axis of {slices} slices.", f"{'':28}{'':>10}  90 % interval"]
    lines += [_figure(f) for f in told["figures"]]
    lines += ["", *_walls(told["wall_segments_mm"])]
    lines += ["", *_doubts(told["doubts"])] if told["doubts"] else ["", "No doubt was raised."]
    lines += [f"Noted: {d}." for d in told["decisions"]]
    lines += [f"Refused: {r}" for r in told["refused"]]
    lines.append(
        f"{told['made_by']}, certainty {told['quality']:.2f}. Fully automatic, research only: look "
        "at the contours before you use a number."
    )
    return lines


def images_told(images: dict[str, Any] | None) -> list[str]:
    """Return a few lines on the pictures in a patient's folder: what they taught, or why not."""
    if images is None:
        return []
    heart = images["heart"]
    if heart is None:
        return [f"pictures without a heart: {images['said']}"]
    shown = [f for f in heart["figures"] if f["name"] in ("lv_edv", "lv_esv", "lv_mass", "rv_edv")]
    said = [" ".join(_figure(f).split()) for f in shown]
    lines = [f"pictures of {heart['date'] or 'a day not told'}: {'; '.join(said)}"]
    if images["composite"]:
        lines.append("composite: the pictures name another patient than the folder does")
    gap = next((d for d in heart["doubts"] if d["kind"] == "stroke_volumes"), None)
    if gap is not None:
        lines.append(f"{gap['reason']}; may be {'; '.join(gap['differential'])}")
    return lines


def _figure(f: dict[str, Any]) -> str:
    if f["withheld"]:
        return f"{f['label']:28}{'withheld':>10}"
    digits = 1 if f["unit"] == "mm" else 0
    low, high = f["interval_90"]
    value = f"{f['value']:.{digits}f} {f['unit']}"
    said = f"{f['label']:28}{value:>10}  {low:.{digits}f} to {high:.{digits}f}"
    return said + (f", widened {f['widened']:.1f} times" if f["widened"] > 1.05 else "")


def _walls(segments: list[dict[str, Any]]) -> Iterator[str]:
    yield "LV wall at the end of diastole, mm, by segment (ant, sept, inf, lat in AHA's order)"
    for ring, low, high in _RINGS:
        shown = [s["end_diastole"] for s in segments[low:high]]
        yield f"  {ring:8}" + " ".join("   –" if s is None else f"{s:4.1f}" for s in shown)


def _doubts(doubts: list[dict[str, Any]]) -> Iterator[str]:
    yield "Doubts"
    for d in doubts:
        does = "withholds" if d["withholds"] else f"widens {d['widens_by']:.1f} times"
        told_only = not d["withholds"] and d["widens_by"] == 1.0
        effect = "widens nothing" if told_only else f"{does}: {_names(d['figures'])}"
        yield from wrap(f"{d['reason']} [{effect}]", _WIDE,
                        initial_indent="  - ", subsequent_indent="    ")  # fmt: skip
        if d["differential"]:
            other = f"May be: {'; '.join(d['differential'])}."
            yield from wrap(other, _WIDE, initial_indent="    ", subsequent_indent="    ")


def _names(figures: list[str]) -> str:
    """Return the figures that a doubt bears on, in as few words as tell it."""
    left = any(f in ("lv_edv", "lv_esv") for f in figures)
    right = any(f.startswith("rv") for f in figures)
    wall = "lv_mass" in figures
    if left and right and wall:
        return "all numbers"
    said = [w for w, on in (("LV volumes", left), ("RV", right), ("LV wall", wall)) if on]
    return ", ".join(said)
