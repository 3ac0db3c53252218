"""Networks of the user's own: what they were trained to see, and how an image is brought there.

A network sees voxels of one spacing, in one order of axes, scaled in one way. `segment_with` turns
and resamples the image to that, runs the network over overlapping windows (weights fall towards a
window's rim, as in nnU-Net: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z), and brings the
probabilities back onto the image's own grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, LimitError, RangeError
from isosoma.core.study import Grid, Volume
from isosoma.imaging.resample import resampled
from isosoma.imaging.segmentation import Segmentation

__all__ = ["Normalisation", "Predict", "Recipe", "model_grid", "quality_of", "segment_with"]

Array = npt.NDArray[np.float32]
# From (1, 1, i, j, k), one window of the network's, to probabilities (classes, i, j, k).
Predict = Callable[[Array], Array]

_MOST = 600_000_000  # voxels of the network's grid by its classes: 2.4 GB of float32
_OVERLAP = 0.5  # of neighbouring windows
_FALL = 1 / 8  # sd of a window's weight as a share of its side
_AXES = {
    "R": (0, 1.0),
    "L": (0, -1.0),
    "A": (1, 1.0),
    "P": (1, -1.0),
    "S": (2, 1.0),
    "I": (2, -1.0),
}


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How values are scaled: cut to [low, high], then (x - shift) / scale.

    Where `of_image` is set, shift and scale are the mean and sd of the (cut) image itself.
    """

    low: float = -np.inf
    high: float = np.inf
    shift: float = 0.0
    scale: float = 1.0
    of_image: bool = False

    def apply(self, image: Array) -> Array:
        """Return a scaled image."""
        cut = np.clip(image, self.low, self.high)
        shift, scale = self.shift, self.scale
        if self.of_image:
            shift, scale = float(cut.mean()), float(cut.std())
        return ((cut - shift) / max(scale, 1e-8)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a network was trained on.

    Attributes
    ----------
    names : of its classes, background first and empty.
    spacing : of its voxels along its own axes [m]; None keeps the image's.
    orientation : where its axes point, e.g. ``RAS`` or ``LPS``.
    window : voxels that it sees at once.
    made_by : its name, with the digest of its weights.
    """

    names: tuple[str, ...]
    spacing: tuple[float, float, float] | None
    orientation: str
    window: tuple[int, int, int]
    normalisation: Normalisation
    made_by: str

    def __post_init__(self) -> None:
        """Refuse what no network is."""
        if sorted(_AXES[a][0] for a in self.orientation if a in _AXES) != [0, 1, 2]:
            said = f"orientation {self.orientation!r} is none"
            raise FormatError(said, todo="Write three letters, one of each pair R L, A P, S I")
        if len(self.names) < 2 or len(set(self.names)) != len(self.names) or len(self.names) > 255:
            said = f"{len(self.names)} labels, of which {len(set(self.names))} differ"
            raise FormatError(said, todo="Name each class once, background first")
        if self.spacing is not None and not all(2e-5 < s < 0.05 for s in self.spacing):
            said = f"a spacing of {[s * 1e3 for s in self.spacing]} mm"
            raise FormatError(said, todo="Give it in millimetres, as the network was trained")
        if not all(1 <= n <= 1024 for n in self.window):
            raise FormatError(f"a window of {self.window} voxels", todo="Give 1 to 1024 a side")


def model_grid(grid: Grid, recipe: Recipe) -> Grid:
    """Return the network's grid over an image: its order of axes, its spacing, the same extent."""
    columns = np.zeros((3, 3))
    shape, axes = [0, 0, 0], grid.affine[:3, :3] / grid.spacing
    free = [0, 1, 2]
    for out, letter in enumerate(recipe.orientation):
        axis, sign = _AXES[letter]
        own = max(free, key=lambda a: abs(axes[axis, a]))
        free.remove(own)
        step = float(grid.spacing[own]) if recipe.spacing is None else recipe.spacing[out]
        turn = 1.0 if axes[axis, own] * sign > 0 else -1.0
        columns[:, out] = axes[:, own] * turn * step
        shape[out] = max(round(grid.shape[own] * float(grid.spacing[own]) / step), 1)
    affine = np.eye(4)
    affine[:3, :3] = columns
    middle = grid.to_space((np.array(grid.shape) - 1) / 2)
    affine[:3, 3] = middle - columns @ ((np.array(shape) - 1) / 2)
    return Grid((shape[0], shape[1], shape[2]), affine, grid.frame)


def segment_with(volume: Volume, recipe: Recipe, predict: Predict) -> Segmentation:
    """Return what a network finds, on the volume's own grid, with its probability.

    Of several phases the first is used.

    Raises
    ------
    LimitError
        The network's grid over this image would not fit into memory.
    FormatError
        The network's classes are not as many as its labels.
    RangeError
        The image is the same everywhere.
    """
    image = volume.values[..., 0]
    if float(image.max()) <= float(image.min()):
        raise RangeError("the image is the same everywhere", todo="Choose another series")
    inner = model_grid(volume.grid, recipe)
    size = int(np.prod(inner.shape)) * len(recipe.names)
    if size > _MOST:
        said = f"{inner.shape} voxels of {len(recipe.names)} classes"
        raise LimitError(said, todo="Crop the image, or use a coarser network")
    scaled = recipe.normalisation.apply(resampled(image, volume.grid, inner, edge=True))
    shares = _slid(scaled, recipe, predict)
    labels = np.zeros(volume.grid.shape, np.uint8)
    best = np.full(volume.grid.shape, -1.0, np.float32)
    for n, share in enumerate(shares):  # one class at a time: the image's grid may be the finer
        back = resampled(share, inner, volume.grid, edge=True)
        better = back > best
        labels[better], best[better] = n, back[better]
    quality, problems = quality_of(labels, best, recipe.names)
    return Segmentation(
        volume.grid, labels, recipe.names, np.clip(best, 0, 1), quality, problems, recipe.made_by
    )  # fmt: skip


def _slid(image: Array, recipe: Recipe, predict: Predict) -> Array:
    """Return probabilities (classes, i, j, k) of overlapping windows, weighted to their middles."""
    window = np.array(recipe.window)
    short = np.maximum(window - image.shape, 0)
    padded = np.pad(image, [(int(n) // 2, int(n) - int(n) // 2) for n in short], mode="edge")
    total = np.zeros((len(recipe.names), *padded.shape), np.float32)
    weight = np.zeros(padded.shape, np.float32)
    bell = _bell(recipe.window)
    for corner in _corners(padded.shape, recipe.window):
        block = tuple(slice(c, c + n) for c, n in zip(corner, recipe.window, strict=True))
        share = predict(padded[block][None, None])
        if share.shape != (len(recipe.names), *recipe.window):
            said = (
                f"the network gives {share.shape}, its labels ask for {len(recipe.names)} classes"
            )
            raise FormatError(said, todo="Correct the labels, or the window, of the model's recipe")
        total[:, *block] += share * bell
        weight[block] += bell
    first = [int(n) // 2 for n in short]
    inside = tuple(slice(a, a + n) for a, n in zip(first, image.shape, strict=True))
    return (total / weight)[:, *inside]


def _bell(window: tuple[int, int, int]) -> Array:
    """Return a window's weights, a Gaussian that keeps a thousandth at the corners."""
    sides = [np.exp(-(((np.arange(n) - (n - 1) / 2) / (n * _FALL)) ** 2) / 2) for n in window]
    bell = sides[0][:, None, None] * sides[1][:, None] * sides[2]
    return np.maximum(bell, 1e-3).astype(np.float32)


def _corners(shape: tuple[int, ...], window: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """Return the first voxels of windows that cover an image."""
    starts = list[list[int]]()
    for n, w in zip(shape, window, strict=True):
        count = 1 if n <= w else int(np.ceil((n - w) / (w * _OVERLAP))) + 1
        starts.append([round(x) for x in np.linspace(0, n - w, count)])
    return [(i, j, k) for i in starts[0] for j in starts[1] for k in starts[2]]


def quality_of(
    labels: npt.NDArray[np.uint8], best: Array, names: tuple[str, ...]
) -> tuple[float, tuple[str, ...]]:
    """Return the least of the checks and a sentence for each below 1."""
    found = [names[n] for n in np.unique(labels) if n]
    sure = float(best[labels > 0].mean()) if found else 0.0
    checks = (
        (1.0 if found else 0.0, "the network found nothing: is the image what it was trained on?"),
        (1.0 if not found or sure > 0.8 else sure,
         f"the mean probability inside is {sure:.2f}: the image is unlike those trained on"),
    )  # fmt: skip
    return min(s for s, _ in checks), tuple(text for s, text in checks if s < 1)
