"""Write the surface model of both ventricles out of the tables of biv-me.

    .venv/bin/python tools/biventricle.py biv_subdivision_model.tar.xz

The tables (biv-me, UOA-Heart-Mechanics-Research, Apache-2.0; Mauger et al. 2018, STACOM,
doi:10.1007/978-3-030-12029-0_3) have 388 control points, the subdivision matrix to 5810 vertices,
triangles with a material each, and a smoothness matrix. Out comes
`src/isosoma/imaging/weights/biventricle.npz`, in metres, with counts from 0.
"""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.sparse import csr_array

TARGET = Path(__file__).parents[1] / "src/isosoma/imaging/weights/biventricle.npz"
CENTIMETRE = 1e-2


def main(path: str) -> None:
    """Write the model."""
    with tarfile.open(path) as archive:
        found = {Path(m.name).name: archive.extractfile(m) for m in archive if m.isfile()}
        files = {name: io.BytesIO(file.read()) for name, file in found.items() if file}
    matrix = csr_array(loadmat(files["subdivision_matrix_sparse.mat"])["S"])
    smooth = sum(loadmat(files[f"GTSTG_{a}_sparse.mat"])["S"].toarray() for a in "xyz") / 3
    triangles = np.loadtxt(files["ETIndicesSorted.txt"], dtype=int) - 1
    materials = np.loadtxt(files["ETIndicesMaterials.txt"], dtype=str)[:, 1]
    names, material = np.unique(materials, return_inverse=True)
    np.savez_compressed(
        TARGET,
        data=matrix.data.astype(np.float32), columns=matrix.indices.astype(np.int16),
        rows=matrix.indptr.astype(np.int32), smooth=np.asarray(smooth, np.float32),
        triangles=triangles.astype(np.int16), material=material.astype(np.uint8),
        names=np.array([n.replace("__", "_") for n in names]),
        across=(np.loadtxt(files["thru_wall_et_indices.txt"], dtype=int) - 1).astype(np.int16),
        control=(np.loadtxt(files["model.txt"]) * CENTIMETRE).astype(np.float32),
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
