"""Run a MONAI bundle: the network of `models/`, with the spacing and scaling of its own inference.

::

    bundle/configs/metadata.json    classes, window          models/model.ts   TorchScript, or
           configs/inference.json   the chain before it             model.pt   weights alone

TorchScript needs torch only; weights alone need the network's class, which MONAI builds from
`network_def`: any class and any expression that the bundle names. TorchScript is a program too
(PyTorch's SECURITY.md). So a bundle is run for those only who say that they trust it. The chain's
Orientationd, Spacingd and ScaleIntensityRanged are done by our own resampling; a chain with
another step that changes values is refused, not guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError
from isosoma.imaging.load_onnx import activated
from isosoma.imaging.model_files import needed, read_json, require_trust
from isosoma.imaging.model_recipe import digest
from isosoma.imaging.user_network import Normalisation, Predict, Recipe

__all__ = ["load_monai", "read_monai"]

Array = npt.NDArray[np.float32]

# Steps that change no value that the network sees, or that `segment_with` does.
_HARMLESS = {
    "LoadImaged", "EnsureChannelFirstd", "EnsureTyped", "Orientationd", "Spacingd",
    "ScaleIntensityRanged", "CastToTyped", "ToTensord", "AddChanneld",
}  # fmt: skip


def read_monai(folder: Path) -> tuple[Recipe, Path]:
    """Return what a bundle says of its network, and the file of its weights.

    Raises
    ------
    FormatError
        A file is missing or damaged, or its chain holds a step that is not done here.
    """
    meta = read_json(folder / "configs/metadata.json")
    chain = read_json(folder / "configs/inference.json")
    weights = next((p for p in (folder / "models/model.ts", folder / "models/model.pt")
                    if p.is_file()), None)  # fmt: skip
    if weights is None:
        said = "has neither models/model.ts nor models/model.pt"
        raise FormatError(said, folder.name, "Unpack the weights into models/")
    try:
        steps: list[dict[str, Any]] = chain["preprocessing"]["transforms"]
        data = meta["network_data_format"]
        image, out = data["inputs"]["image"], data["outputs"]["pred"]
        classes = {int(k): str(v) for k, v in out["channel_def"].items()}
        a, b, c = (int(n) for n in image["spatial_shape"])
        channels = int(image["num_channels"])
        named = {str(s["_target_"]).rpartition(".")[2]: s for s in steps}
        spacing, orientation = _placed(named)
        scaled = _scaled(named)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"its configs lack what a bundle has: {error}"
        raise FormatError(
            said, folder.name, "Give a bundle with spatial_shape as numbers"
        ) from error
    other = sorted(set(named) - _HARMLESS)
    if other or channels != 1:
        said = f"its chain holds {', '.join(other)}" if other else f"it wants {channels} channels"
        raise FormatError(said, folder.name, "Export it to ONNX with a sidecar instead")
    names = ("", *(classes[n] for n in range(1, len(classes))))
    made_by = (
        f"{meta.get('name', folder.name)} {meta.get('version', '')}, weights {digest(weights)}"
    )
    return Recipe(names, spacing, orientation, (a, b, c), scaled, made_by), weights


def _placed(steps: dict[str, Any]) -> tuple[tuple[float, float, float] | None, str]:
    pixdim = steps.get("Spacingd", {}).get("pixdim")
    turned = str(steps.get("Orientationd", {}).get("axcodes", "RAS"))
    if pixdim is None:
        return None, turned
    x, y, z = (float(p) * 1e-3 for p in pixdim)
    return (x, y, z), turned


def _scaled(steps: dict[str, Any]) -> Normalisation:
    """Return a_min .. a_max brought to b_min .. b_max as one cut, shift and scale."""
    step = steps.get("ScaleIntensityRanged")
    if step is None:
        return Normalisation()
    low, high = float(step["a_min"]), float(step["a_max"])
    to_low, to_high = float(step.get("b_min", 0.0)), float(step.get("b_max", 1.0))
    scale = (high - low) / (to_high - to_low)
    shift = low - to_low * scale
    if not step.get("clip", False):
        return Normalisation(shift=shift, scale=scale)
    return Normalisation(low, high, shift, scale)


def load_monai(folder: Path, *, trusted: bool) -> tuple[Recipe, Predict]:
    """Return what a bundle was trained on and a function that runs one window.

    Parameters
    ----------
    trusted : whether the user said that code of the bundle may run.

    Raises
    ------
    AccessError
        The user did not say so.
    FormatError
        As `read_monai`; or torch or MONAI is not installed.
    """
    recipe, weights = read_monai(folder)
    script = weights.suffix == ".ts"
    what = "its TorchScript" if script else "the class that its network_def names"
    require_trust(trusted, f"loading it runs {what}", folder.name)
    torch = needed("torch", "monai", folder.name)
    if script:
        network: Any = torch.jit.load(str(weights), map_location="cpu")
    else:
        bundle = needed("monai.bundle", "monai", folder.name)
        parser = bundle.ConfigParser()
        parser.read_config(str(folder / "configs/inference.json"))
        network = parser.get_parsed_content("network_def")
        network.load_state_dict(torch.load(str(weights), map_location="cpu", weights_only=True))
    network.eval()

    def predict(window: Array) -> Array:
        with torch.no_grad():
            scores = network(torch.from_numpy(np.ascontiguousarray(window)))
        return activated(np.asarray(scores.numpy()), "softmax")

    return recipe, predict
