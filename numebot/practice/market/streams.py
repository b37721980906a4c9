"""Random streams by name: the same seed and the same keys give the same numbers, whatever else was drawn before."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.int8]


def stream(seed: int, *keys: str | int) -> np.random.Generator:
    """Return the generator that belongs to `seed` and `keys`; words count by their checksum, numbers by value."""
    words = [zlib.crc32(key.encode()) if isinstance(key, str) else key & 0xFFFFFFFF for key in keys]
    return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence([seed & 0xFFFFFFFF, *words])))


def standardised(values: FloatArray) -> FloatArray:
    """Return values with mean 0 and deviation 1; a constant vector becomes zeros."""
    centred = values - values.mean(dtype=np.float64)
    deviation = float(np.sqrt(np.mean(np.square(centred, dtype=np.float64))))
    scale = 1.0 / deviation if deviation > 0 else 0.0
    return np.asarray(centred * scale, dtype=np.float32)
