"""What makes the features of photos, and how large photos are for it."""

from __future__ import annotations

from dataclasses import replace

from training.errors import InputError
from training.features.names import JOIN, TIMM, is_given, networks_in, parts_of
from training.networks.embedded import PACKAGES, has_weights, weights_content
from training.settings import AUTO, PATCHES, TUNED_SIZE, Execution, Recipe
from training.utils.progress import Reporter

__all__ = ["EMBEDDED", "check_size", "sized", "with_features"]

#: The network whose weights are installed with curate.
EMBEDDED = "lite0"


def with_features(recipe: Recipe, reporter: Reporter) -> Recipe:
    """Settle what makes the features: networks by name, patches of the photos, or embeddings that were made elsewhere.

    Nothing is downloaded unasked.

    Parameters
    ----------
    recipe : Recipe
        Its `features` name a network, ``timm:NAME``, ``patches``, ``embeddings:NAME``, several of these joined by
        ``+``, or ``auto``: EfficientNet-Lite0, whose weights are installed with curate; patches where they are not, or
        with ``pretrained=False``.
    reporter : Reporter
        Gets a message where the weights are not installed.

    Returns
    -------
    Recipe
        None of its `features` is ``auto`` any more.

    Raises
    ------
    InputError
        If there is no such network, it has no features, its weights can't be had or are damaged, or a part is named
        twice.
    """
    if not recipe.features.strip():
        raise _unknown("nothing", "")
    parts = [_settled(name, recipe, reporter) for name in parts_of(recipe.features)]
    if twice := [part for part in parts if parts.count(part) > 1]:
        raise InputError("features name a part twice", got=twice[0], fix="Leave one of them out.", parameter="features")
    return replace(recipe, features=JOIN.join(parts))


def _settled(name: str, recipe: Recipe, reporter: Reporter) -> str:
    """Return the name of a part that can be had."""
    if name == AUTO:
        name = EMBEDDED if recipe.pretrained and has_weights(EMBEDDED) else PATCHES
        if recipe.pretrained and name == PATCHES:
            missing = PACKAGES[EMBEDDED].requirement
            reporter.say(f"{missing} is not installed: features are patches of the photos, which show less")
    if name in PACKAGES:
        weights_content(name)
    elif name.startswith(TIMM):
        from training.networks.of_timm import check_timm

        check_timm(name.removeprefix(TIMM))
    elif name != PATCHES and not is_given(name):
        _check(name)
    return name


def sized(recipe: Recipe, execution: Execution) -> tuple[Recipe, int]:
    """Settle how large photos are: those of the network, and those that are decoded, which features are made of.

    A pretrained network learned from photos of 224 pixels, and sees little in small ones. So its features are made of
    larger photos than a network is trained on, from scratch or from its weights, unless a size was asked for and no
    network is trained.

    Parameters
    ----------
    recipe : Recipe
        Of :func:`with_features`, and whether a network is trained, with which weights, is settled, too.
    execution : Execution
        Its preset decides the sizes that the recipe leaves open.

    Returns
    -------
    recipe : Recipe
        With the side of the network's photos.
    size : int
        Side of the decoded photos in pixels, no smaller than that.
    """
    asked, preferred = recipe.image_size, execution.fills_in.pretrained_size
    if asked is None and recipe.has_network and recipe.pretrained:
        recipe = replace(recipe, image_size=_made_for(recipe.model, TUNED_SIZE))
    recipe = execution.complete(recipe)
    if asked is not None and not recipe.has_network:
        return recipe, recipe.size
    return recipe, max([recipe.size, *(_made_for(name, preferred) for name in networks_in(recipe.features))])


def check_size(name: str, size: int, classes: int) -> None:
    """Refuse photos that a network can't make features of.

    Parameters
    ----------
    name : str
        One of the networks among the features.
    size : int
        Side of the photos in pixels.
    classes : int
        K.

    Raises
    ------
    InputError
        If it takes none of this size.
    """
    if name.startswith(TIMM):
        from training.networks.of_timm import timm_size

        timm_size(name.removeprefix(TIMM), size)
    else:
        from training.networks.zoo import build_model

        build_model(name, classes=classes, image_size=size, pretrained=False)


def _made_for(name: str, preferred: int) -> int:
    if name in PACKAGES:
        return preferred
    # slow to import, as torch is
    if name.startswith(TIMM):
        from training.networks.of_timm import timm_size

        return timm_size(name.removeprefix(TIMM))
    from training.networks.zoo import pretrained_size

    return pretrained_size(name, preferred)


def _check(name: str) -> None:
    """Refuse a network that makes no features, or whose weights can't be had."""
    from training.networks.zoo import PRETRAINED, has_last_layer, initial_weights, model_names, nearest

    if name not in model_names():
        fix = f"Did you mean {name.lower()!r}?" if name.lower().startswith(TIMM) else nearest(name, (AUTO, PATCHES))
        raise _unknown(name or f"nothing before or after a {JOIN}", fix)
    if not has_last_layer(name):
        raise InputError(
            f"{name} makes no features: it has no linear layer at its end", fix=_OTHERS, parameter="features"
        )
    origin = initial_weights(name, pretrained=True)
    if origin != PRETRAINED:
        why = origin.removeprefix("from scratch: ")
        raise InputError(f"no features of {name} without its weights: {why}", fix=_OTHERS, parameter="features")


def _unknown(got: str, fix: str) -> InputError:
    return InputError(
        "unknown features",
        got=got,
        wanted=f"{AUTO}, {PATCHES}, {', '.join(PACKAGES)} or a torchvision classifier, e.g. resnet18; timm:NAME; a "
        "file of embeddings, e.g. clip.npz; or several of them with + between",
        fix=fix,
        parameter="features",
    )


_OTHERS = f'Choose `features="{EMBEDDED}"`, whose weights are installed, or `features="{PATCHES}"`.'
