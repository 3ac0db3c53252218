"""Run a MONAI bundle: the network of `models/`, with the spacing and scaling of its own inference.

::

    bundle/configs/metadata.json    classes, window          models/model.ts   TorchScript, or
           configs/inference.json   the chain around it             model.pt   weights alone

TorchScript needs torch only; weights alone need the network's class, which MONAI builds from
`network_def`: any class and any expression that the bundle names. TorchScript is a program too
(PyTorch's SECURITY.md). So a bundle is run for those only who say that they trust it. The chain's
Orientationd, Spacingd and ScaleIntensityRanged are done by our own resampling; a chain with
another step that changes values is refused, not guessed. A step after the network that mends its
labels (the largest piece alone, say) is not done, and `made_by` names it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError
from isosoma.imaging.load_onnx import activated
from isosoma.imaging.model_files import borrowed, needed, read_json, require_trust
from isosoma.imaging.model_recipe import digest
from isosoma.imaging.user_network import Normalisation, Predict, Recipe

__all__ = ["MonaiBundle", "load_monai", "read_monai"]

Array = npt.NDArray[np.float32]
Steps = list[tuple[str, dict[str, Any]]]

# Steps that change no value that the network sees, or that `segment_with` does.
_HARMLESS = {
    "LoadImaged", "EnsureChannelFirstd", "EnsureTyped", "Orientationd", "Spacingd",
    "ScaleIntensityRanged", "CastToTyped", "ToTensord", "AddChanneld",
}  # fmt: skip
# Steps after the network that leave its labels as they are, or that `segment_with` does.
_PLAIN = {
    "Activationsd", "Invertd", "AsDiscreted", "SaveImaged", "EnsureTyped", "ToTensord",
    "CastToTyped", "Lambdad", "CopyItemsd", "DeleteItemsd", "SelectItemsd", "ToDeviced",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MonaiBundle:
    """What a bundle says: how images are brought to its network, its weights, and its activation.

    Attributes
    ----------
    activation : of its scores, ``softmax``, or ``sigmoid`` where one score tells two classes.
    """

    recipe: Recipe
    weights: Path
    activation: str


def read_monai(folder: Path) -> MonaiBundle:
    """Return what a bundle says of its network, without running it.

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
        before = _steps(chain, "preprocessing")
        after = _steps(chain, "postprocessing")
        data = meta["network_data_format"]
        image, out = data["inputs"]["image"], data["outputs"]["pred"]
        channels = int(image["num_channels"])
        _refuse_steps(before, channels)
        activation = _activation(after)
        names = _names(out, activation)
        spacing, orientation = _placed(dict(before))
        scaled = _scaled(dict(before))
        window = _window(chain, image)
        left = "".join(f", without its {name}" for name, _ in after if name not in _PLAIN)
        made_by = (
            f"{meta.get('name', folder.name)} {meta.get('version', '')}, weights {digest(weights)}"
        )
        recipe = Recipe(names, spacing, orientation, window, scaled, made_by + left)
    except FormatError as error:
        raise error.at(folder.name) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"its configs lack what a bundle has: {error}"
        todo = "Write numbers in place of expressions, or export it to ONNX with a sidecar"
        raise FormatError(said, folder.name, todo) from error
    return MonaiBundle(recipe, weights, activation)


def _steps(chain: dict[str, Any], part: str) -> Steps:
    """Return names and settings of a part's steps, those that are switched off left out."""
    listed: list[dict[str, Any]] = chain.get(part, {}).get("transforms", [])
    if not listed and part == "preprocessing":
        raise KeyError("preprocessing.transforms")
    return [
        (str(step["_target_"]).rpartition(".")[2], {k: _plain(v, chain) for k, v in step.items()})
        for step in listed
        if step.get("_disabled_") is not True
    ]


def _plain(value: Any, chain: dict[str, Any]) -> Any:
    """Return what a reference such as ``@pixdim`` or ``@sizes::0`` stands for; no code is run."""
    for _ in range(8):  # a reference may lead to another
        if not (isinstance(value, str) and re.fullmatch(r"@[\w:#]+", value)):
            return value
        found: Any = chain
        for key in re.split("::|#", value[1:]):
            found = found[int(key) if isinstance(found, list) else key]
        value = found
    raise ValueError(f"{value} leads in a circle")


def _refuse_steps(steps: Steps, channels: int) -> None:
    names = [name for name, _ in steps]
    other = sorted(set(names) - _HARMLESS)
    if other or channels != 1:
        said = f"its chain holds {', '.join(other)}" if other else f"it wants {channels} channels"
        raise FormatError(said, todo="Export it to ONNX with a sidecar instead")
    done = [n for n in names if n in ("Orientationd", "Spacingd", "ScaleIntensityRanged")]
    if len(set(done)) != len(done):
        raise FormatError("a step comes twice", todo="Export it to ONNX with a sidecar instead")
    if "Spacingd" in done and "Orientationd" in done[done.index("Spacingd") :]:
        said = "Spacingd comes before Orientationd: its spacing is along axes that nobody knows"
        raise FormatError(said, todo="Export it to ONNX with a sidecar instead")


def _activation(steps: Steps) -> str:
    """Return the activation of the steps after the network; softmax where they name none."""
    step = dict(steps).get("Activationsd", {"softmax": True})
    soft, sigmoid = step.get("softmax") is True, step.get("sigmoid") is True
    if soft == sigmoid or step.get("other") is not None:
        said = "its Activationsd is neither one softmax nor one sigmoid"
        raise FormatError(said, todo="Export it to ONNX with a sidecar instead")
    cut = dict(steps).get("AsDiscreted", {}).get("threshold")
    if sigmoid and cut not in (None, True, 0.5):
        said = f"it cuts its sigmoid at {cut}, and here it is cut at 0.5"
        raise FormatError(said, todo="Export it to ONNX with a sidecar instead")
    return "softmax" if soft else "sigmoid"


def _names(out: dict[str, Any], activation: str) -> tuple[str, ...]:
    """Return the classes' names, background first and empty."""
    classes = {int(k): str(v) for k, v in out["channel_def"].items()}
    if activation == "softmax":
        return ("", *(classes[n] for n in range(1, len(classes))))
    if int(out.get("num_channels", 1)) != 1:
        said = "its classes may overlap: regions by a sigmoid each are not run here"
        raise FormatError(said, todo="Use a network of plain labels")
    return "", classes[max(classes)]


def _window(chain: dict[str, Any], image: dict[str, Any]) -> tuple[int, int, int]:
    """Return the voxels seen at once, of the sliding window or else of the metadata."""
    size = _plain(chain.get("inferer", {}).get("roi_size"), chain) or image["spatial_shape"]
    a, b, c = (int(_plain(n, chain)) for n in size)
    return a, b, c


def _placed(steps: dict[str, Any]) -> tuple[tuple[float, float, float] | None, str]:
    pixdim = steps.get("Spacingd", {}).get("pixdim")
    turned = str(steps.get("Orientationd", {}).get("axcodes", "RAS"))
    if pixdim is None:
        return None, turned
    three = [pixdim] * 3 if isinstance(pixdim, int | float) else pixdim
    x, y, z = (float(p) * 1e-3 for p in three)
    return (x, y, z), turned


def _scaled(steps: dict[str, Any]) -> Normalisation:
    """Return a_min .. a_max brought to b_min .. b_max as one cut, shift and scale."""
    step = steps.get("ScaleIntensityRanged")
    if step is None:
        return Normalisation()
    low, high = float(step["a_min"]), float(step["a_max"])
    ends = (step.get("b_min"), step.get("b_max"))
    to_low, to_high = (float(d if e is None else e) for e, d in zip(ends, (0, 1), strict=True))
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
    bundle = read_monai(folder)
    script = bundle.weights.suffix == ".ts"
    what = "its TorchScript" if script else "the class that its network_def names"
    require_trust(trusted, f"loading it runs {what}", folder.name)
    torch = needed("torch", "monai", folder.name)
    parser = None if script else needed("monai.bundle", "monai", folder.name).ConfigParser()
    with borrowed(folder.name):
        if parser is None:
            network: Any = torch.jit.load(str(bundle.weights), map_location="cpu")
        else:
            parser.read_config(str(folder / "configs/inference.json"))
            network = parser.get_parsed_content("network_def")
            kept = torch.load(str(bundle.weights), map_location="cpu", weights_only=True)
            network.load_state_dict(kept.get("model", kept))  # both are what MONAI saves
        network.eval()

    def predict(window: Array) -> Array:
        with borrowed(folder.name), torch.no_grad():
            scores = network(torch.from_numpy(np.ascontiguousarray(window)))
            return activated(np.asarray(scores.numpy()), bundle.activation)

    return bundle.recipe, predict
