"""Train the network that reads cine pictures, on rendered hearts only, and write its weights.

    PYTHONPATH=src TRAINING_PYTHON tools/train_cine.py [--steps 2000] [--seed 1] [--start FILE]

TRAINING_PYTHON has torch (CPU), numpy, scipy and numba; the product needs no torch. A thread
renders scenes (four phases each) in the order of their seeds; step k learns from the first ones
only, so that the same arguments give the same weights however busy the machine is, as long as
`--minutes` is not what ends it. No picture of a person is read. Single precision: half is emulated
where a processor lacks it, ten times slower. Batch norms are folded into the convolutions; weights
are kept at half precision. `--start` goes on from kept weights: each norm then gets the gain and
the offset that give a batch of scenes the same activations.
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
FIRST, PER_STEP, BATCH = 300, 1.5, 16  # scenes before the first step, and after each
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


def begin_from(net: Unet, path: Path, inputs: torch.Tensor) -> None:
    """Take folded weights over, with norms that undo themselves on these inputs."""
    file = np.load(path)
    kept = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file.files}
    number = 0

    def adapt(conv: nn.Conv2d, norm: nn.BatchNorm2d, name: int) -> None:
        conv.weight.data.copy_(kept[f"k{name}"])

        def once(_: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            mean, spread = given[0].mean((0, 2, 3)), given[0].std((0, 2, 3)) + 1e-3
            norm.weight.data.copy_(spread)
            norm.bias.data.copy_(mean + kept[f"b{name}"])
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(spread**2)
            hook.remove()

        hook = norm.register_forward_pre_hook(once)

    for part in net.blocks:
        for k in (0, 3):
            adapt(part[k], part[k + 1], number)
            number += 1
    net.head.weight.data.copy_(kept["kh"])
    net.head.bias.data.copy_(kept["bh"])
    with torch.no_grad():
        net(inputs)


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


def rendered(seed: int, until: int, over: threading.Event) -> list[Scene]:
    """Return a list that a thread fills with scenes, the same ones for the same seed."""
    scenes = list[Scene]()

    def render() -> None:
        for k in range(until):
            if over.is_set():
                return
            scenes.append(scene(np.random.default_rng([seed, k])))

    threading.Thread(target=render, daemon=True).start()
    return scenes


def learn(net: Unet, scenes: list[Scene], given: argparse.Namespace) -> None:
    """Take steps until there are enough, or the time is over; the rate falls by a cosine."""
    optimiser = torch.optim.AdamW(net.parameters(), given.rate, weight_decay=1e-3)
    rng = np.random.default_rng([given.seed, 1 << 30])
    start, mean = time.monotonic(), np.zeros(len(CLASSES))
    for step in range(given.steps):
        share = max(step / given.steps, (time.monotonic() - start) / (60 * given.minutes))
        if share >= 1:
            break
        optimiser.param_groups[0]["lr"] = given.rate * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-6
        inputs, truth = batch(waited(scenes, FIRST + int(PER_STEP * step)), rng)
        loss, dice = loss_of(net(inputs.to(memory_format=torch.channels_last)), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean = mean + max(0.02, 1 / (step + 1)) * (dice.numpy() - mean)
        if step % 50 == 49:
            spent = f"{time.monotonic() - start:.0f} s, core {time.process_time():.0f} s"
            print(spent, f"step {step + 1} loss {loss.item():.3f}", mean.round(3), flush=True)
            write(net, given.target)
    write(net, given.target)


def waited(scenes: list[Scene], count: int) -> list[Scene]:
    """Return the first scenes, once there are that many."""
    while len(scenes) < count:
        time.sleep(0.2)
    return scenes[:count]


def main() -> None:
    """Render and learn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=240.0, help="end earlier, annealed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--target", type=Path, default=TARGET)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    over = threading.Event()
    scenes = rendered(given.seed, FIRST + int(PER_STEP * given.steps), over)
    net = Unet().to(memory_format=torch.channels_last)
    if given.start:
        many = [batch(waited(scenes, FIRST), np.random.default_rng(k))[0] for k in range(8)]
        begin_from(net, given.start, torch.cat(many))
    learn(net, scenes, given)
    over.set()


if __name__ == "__main__":
    main()
