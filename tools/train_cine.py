"""Train the network that reads cine pictures, on rendered hearts only, and write its weights.

    PYTHONPATH=src TRAINING_PYTHON tools/train_cine.py [--minutes 38] [--seed 1]

TRAINING_PYTHON has torch (CPU), numpy, scipy and numba; the product needs no torch. A thread
renders scenes (four phases each) while the other learns from all that are there. No picture of a
person is read. Batch norms are folded into the convolutions; weights are kept at half precision.
Two threads share the time given, so that another run gives other weights.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from isosoma.imaging.render import (
    CLASSES,
    classes_at,
    picture,
    plane_points,
    random_looks,
    random_plane,
)
from isosoma.imaging.synthetic_heart import random_heart
from isosoma.imaging.unet import STAGES, WIDTHS, normalised

TARGET = Path(__file__).parents[1] / "src/isosoma/imaging/weights/cine_unet.npz"
SCENES, BATCH = 9000, 16
Scene = tuple[npt.NDArray[np.float16], npt.NDArray[np.float16], npt.NDArray[np.uint8]]


def block(inputs: int, outputs: int) -> nn.Sequential:
    """Return two 3 x 3 convolutions, each normed."""
    layers = list[nn.Module]()
    for a in (inputs, outputs):
        layers += [
            nn.Conv2d(a, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)


class Unet(nn.Module):
    """Ronneberger et al. 2015, narrow."""

    def __init__(self) -> None:
        """Make blocks in the order in which they are kept: down, then up, then the head."""
        super().__init__()
        down = [block(a, b) for a, b in zip((2, *WIDTHS), WIDTHS, strict=False)]
        up = [block(WIDTHS[k] + WIDTHS[k + 1], WIDTHS[k]) for k in reversed(range(STAGES - 1))]
        self.blocks = nn.ModuleList(down + up)
        self.head = nn.Conv2d(WIDTHS[0], len(CLASSES), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        kept = list[torch.Tensor]()
        for k in range(STAGES):
            x = self.blocks[k](x if k == 0 else nn.functional.max_pool2d(x, 2))
            kept.append(x)
        for k in range(STAGES, len(self.blocks)):
            beside = kept[2 * STAGES - 2 - k]
            x = self.blocks[k](torch.cat([nn.functional.interpolate(x, scale_factor=2), beside], 1))
        return self.head(x)


def scene(rng: np.random.Generator) -> Scene:
    """Return normalised frames, their spread over the beat, and the truth."""
    heart, looks = random_heart(rng), random_looks(rng)
    plane = random_plane(heart, rng)
    phases = np.array([0.0, rng.uniform(0.2, 0.5), rng.uniform(0.5, 0.8), 1.0])
    frames, spread = normalised(picture(heart, looks, plane, phases))
    points = plane_points(plane)
    truth = np.stack([classes_at(heart, points, float(c)) for c in phases])
    return frames.astype(np.float16), spread.astype(np.float16), truth


def batch(scenes: list[Scene], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random frames, each with another gain and gamma, at times without spread or cut."""
    inputs = list[npt.NDArray[np.float32]]()
    targets = list[npt.NDArray[np.uint8]]()
    for _ in range(BATCH):
        frames, spread, truth = scenes[rng.integers(len(scenes))]
        k = rng.integers(len(frames))
        x = np.stack([frames[k], spread]).astype(np.float32)
        x = rng.uniform(0.75, 1.3) * x ** rng.uniform(0.75, 1.3)
        x[1] *= rng.uniform(0.5, 1.5) if rng.random() > 0.1 else 0.0
        if rng.random() < 0.12:
            x[:, : rng.integers(1, 25)] = 0
        if rng.random() < 0.12:
            x[:, -rng.integers(1, 25) :] = 0
        inputs.append(x)
        targets.append(truth[k])
    return torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(targets)).long()


def loss_of(logits: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cross entropy plus 1 - Dice, and the Dice of each class."""
    share = logits.softmax(1)
    one_hot = nn.functional.one_hot(truth, len(CLASSES)).permute(0, 3, 1, 2).float()
    both = (share * one_hot).sum((0, 2, 3))
    dice = (2 * both + 1) / (share.sum((0, 2, 3)) + one_hot.sum((0, 2, 3)) + 1)
    return nn.functional.cross_entropy(logits, truth) + 1 - dice[1:].mean(), dice.detach()


def write(net: Unet, target: Path) -> None:
    """Fold each norm into its convolution and keep kernels and biases at half precision."""
    arrays = dict[str, npt.NDArray[np.float16]]()
    number = 0
    for part in net.blocks:
        for k in (0, 3):
            norm = part[k + 1]
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            arrays[f"k{number}"] = (
                (part[k].weight * gain[:, None, None, None]).detach().half().numpy()
            )
            arrays[f"b{number}"] = (norm.bias - norm.running_mean * gain).detach().half().numpy()
            number += 1
    arrays["kh"] = net.head.weight.detach().half().numpy()
    arrays["bh"] = net.head.bias.detach().half().numpy()
    np.savez_compressed(target, **arrays)


def main() -> None:
    """Render and learn until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=38.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", type=Path, default=TARGET)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    scenes = list[Scene]()
    over = threading.Event()

    def render() -> None:
        rng = np.random.default_rng(given.seed)
        while not over.is_set():
            made = scene(rng)
            if len(scenes) < SCENES:
                scenes.append(made)
            else:
                scenes[rng.integers(SCENES)] = made

    threading.Thread(target=render, daemon=True).start()
    while len(scenes) < 200:
        time.sleep(1)
    net = Unet().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    rng = np.random.default_rng(given.seed + 1)
    start, step, mean = time.monotonic(), 0, np.zeros(len(CLASSES))
    while (share := (time.monotonic() - start) / (60 * given.minutes)) < 1:
        optimiser.param_groups[0]["lr"] = 2e-3 * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-5
        inputs, truth = batch(scenes, rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(inputs.to(memory_format=torch.channels_last))
        loss, dice = loss_of(logits.float(), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean = 0.98 * mean + 0.02 * dice.numpy()
        step += 1
        if step % 100 == 0:
            spent = time.monotonic() - start
            print(
                f"{spent:.0f} s step {step} scenes {len(scenes)} loss {loss.item():.3f}",
                mean.round(3),
                flush=True,
            )
            write(net, given.target)
    over.set()
    write(net, given.target)


if __name__ == "__main__":
    main()
