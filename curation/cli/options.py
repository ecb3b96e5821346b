"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from curation.cli.advice import about_run
from curation.cli.group import FOREVER, no_time
from curation.cli.spelling import option_name
from curation.cli.terminal import Terminal
from curation.errors import InputError
from training.settings import (
    AUGMENTS,
    AUTO,
    BALANCES,
    LOSSES,
    OPTIMIZER_DEFAULTS,
    OPTIMIZERS,
    PRECISIONS,
    PRESETS,
    SCHEDULES,
    STANDARD,
    TARGETS,
    WITH_NETWORKS,
    Execution,
    Recipe,
    read_settings,
)
from training.utils.units import parse_duration

__all__ = [
    "cache_option",
    "check_train_options",
    "formats",
    "json_option",
    "markdown_option",
    "model_options",
    "model_options_without",
    "model_recipe",
    "network_options",
    "photos_option",
    "refuse_without_effect",
    "run_option",
    "train_options",
    "train_settings",
    "wait_option",
]

Command = Callable[..., Any]
Option = Callable[[Command], Command]
_DEFAULT = Recipe()
_EXECUTION = Execution()

# the seed chooses the test set, and the photos are kept at this size for `retrain`
_KEPT_WITH_PROBABILITIES = {"preset", "seed", "image_size", "features"}
_OF_THE_NETWORK = {"batch_size", "optimizer", "learning_rate", "weight_decay", "label_smoothing", "threads", "workers"}


def _one_format(context: click.Context, parameter: click.Parameter, chosen: bool) -> bool:
    """Refuse two formats, whichever is given first."""
    other = "as_markdown" if parameter.name == "as_json" else "as_json"
    if chosen and context.params.get(other):
        raise InputError("--markdown has no effect with --json", fix="Leave one of them out.")
    return chosen


json_option = click.option(
    "--json", "as_json", is_flag=True, callback=_one_format, help="Print the result as JSON on stdout."
)
markdown_option = click.option(
    "--markdown",
    "as_markdown",
    is_flag=True,
    callback=_one_format,
    help="Print the result as Markdown, for a pull request.",
)


def run_option(command: Command) -> Command:
    """Let a command take a run: as its argument, or by ``--run``; without either, the latest."""

    @click.argument("run", metavar="[RUN]", required=False)
    @click.option(
        "--run",
        "option",
        metavar="RUN",
        help="The run: its folder, DATASET/NUMBER, or DATASET for its latest. [default: the latest under runs/]",
    )
    @functools.wraps(command)
    def named(*args: Any, run: str | None, option: str | None, **options: Any) -> Any:
        if run is not None and option is not None:
            raise InputError("--run has no effect with RUN", fix="Leave one of them out.")
        return command(*args, run_folder=_folder_of(option if run is None else run), **options)

    return named


photos_option = click.option(
    "--photos",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the photos are, if elsewhere than when the run was made. Later commands know it, too.",
)


def _folder_of(name: str | None) -> Path | None:
    """Return the folder of the run that was named; of none, say which runs can't be the latest: damaged ones."""
    from curation.run.lookup import named_run, unreadable_runs  # imports pandas

    if name is not None:
        folder = named_run(name).folder
        about_run(folder)
        return folder
    Terminal().warn(
        f"{run.folder}: {run.record_problem()}; this run is ignored. Move its folder away." for run in unreadable_runs()
    )
    return None


def _seconds(_context: click.Context, _parameter: click.Parameter, text: str | None) -> bool | float:
    try:
        return text == FOREVER or (text is not None and parse_duration(text))
    except InputError:
        raise no_time(str(text)) from None


wait_option = click.option(
    "--wait",
    is_flag=False,
    flag_value=FOREVER,
    metavar="[TIME]",
    callback=_seconds,
    help="While another command works on it, wait, for at most TIME if given, e.g. 10m. [default: refuse]",
)


def _setting(name: str, help: str, choices: Sequence[str] = (), *, of_run: bool = False) -> Option:
    """Return the option of a setting; `of_run`: what is not given is None, and stays as in the run."""
    default = getattr(_EXECUTION if name in ("preset", "device") else _DEFAULT, name)
    flag = option_name(name) + (f"/--no-{name}" if default is True else "")
    metavar = "|".join(choices) or None
    if of_run:
        # without a default, click takes False for a flag that is not given
        return click.option(
            flag, type=type(default), default=None, show_default="as in the run", metavar=metavar, help=help
        )
    return click.option(flag, default=default, show_default=True, metavar=metavar, help=help)


def _suited(name: str, place: int, help: str, *, of_run: bool) -> Option:
    """Return an option whose default is what suits the optimizer."""
    default = "; ".join(f"{suited[place]:g} for {optimizer}" for optimizer, suited in OPTIMIZER_DEFAULTS.items())
    shown = "as in the run" if of_run else default
    return click.option(option_name(name), name, type=float, show_default=shown, help=help)


def _epochs(default: str, help: str = "Passes of each network over the photos; 0 trains no network.") -> Option:
    return click.option("--epochs", type=int, show_default=default, help=help)


def _network(epochs: Option, *, of_run: bool = False) -> tuple[Option, ...]:
    """Return the options about networks and where they are trained; `of_run`: the defaults are those of the run."""
    return (
        _setting("model", "Any torchvision classifier, lite0, lite2 or lenet.", of_run=of_run),
        epochs,
        _setting("batch_size", "Photos per step.", of_run=of_run),
        _setting("optimizer", "Optimizer.", OPTIMIZERS, of_run=of_run),
        _suited("learning_rate", 0, "Highest learning rate of the schedule.", of_run=of_run),
        _suited("weight_decay", 1, "Weight decay.", of_run=of_run),
        _setting("label_smoothing", "Share of each label spread over all classes.", of_run=of_run),
        _setting("pretrained", "Start from weights that were trained on ImageNet.", of_run=of_run),
        _setting("device", "auto, cpu, cuda, cuda:1 or mps.", of_run=of_run),
        _setting("precision", "auto: bfloat16 where the hardware has instructions for it.", PRECISIONS, of_run=of_run),
        click.option(
            "--threads",
            type=int,
            show_default="as in the run" if of_run else "the models of a run share the cores",
            help="Threads of each network on a CPU; another number changes the last digits.",
        ),
    )


_WORKERS = click.option("--workers", type=int, help="Networks that train at a time; changes no result.")


_SEED = _setting("seed", "Seed of everything random.")
_TRAIN: tuple[Option, ...] = (
    _setting(
        "preset",
        "How much time to spend: "
        + "; ".join(f"{name}: {preset.help}" for name, preset in PRESETS.items())
        + f"; auto: {STANDARD}, or on a CUDA GPU {WITH_NETWORKS}, if it is expected to take less than 10 minutes.",
        (AUTO, *PRESETS),
    ),
    click.option("--time-limit", metavar="TIME", help="Train no longer than this, e.g. 90s, 10m, 1h30m."),
    click.option(
        "--image-size",
        type=int,
        help="Side of the photos in pixels; larger = slower. [default: "
        + ", ".join(f"{preset.image_size} in {name}" for name, preset in PRESETS.items())
        + "; for features of a network "
        + ", ".join(str(preset.pretrained_size) for preset in PRESETS.values())
        + "]",
    ),
    _setting(
        "features",
        "What makes the features of the photos: a pretrained network by name, e.g. lite0, lite2 or timm:NAME; patches "
        "of the photos; a file of your own embeddings (.npz, .npy or a table); or several with + between, e.g. "
        "lite0+clip.npz; auto: lite0, or patches with --no-pretrained.",
    ),
    *_network(_epochs("by preset and number of photos")),
    _WORKERS,
    _SEED,
)
#: Of single models.
_MODEL: tuple[Option, ...] = (
    _setting("target", "What is predicted.", TARGETS),
    _setting("loss", "Loss of a price model.", LOSSES),
    click.option("--image-size", type=int, help="Side of the photos in pixels. [default: 64]"),
    *_network(
        _epochs(
            "by number of photos: 4 to 20 from pretrained weights, 12 to 60 from scratch",
            "Passes over the training photos; 1 or more.",
        )
    ),
    click.option("--iterations", type=int, help="Optimizer steps, instead of --epochs."),
    click.option(
        "--schedule",
        metavar="|".join(SCHEDULES),
        help=f"How the learning rate changes. [default: {_DEFAULT.schedule}; constant with --lr-steps]",
    ),
    click.option(
        "--lr-steps", metavar="STEP:LR,…", help="Learning rates from an iteration on, e.g. 20000:1e-6,30000:1e-7."
    ),
    click.option(
        "--early-stop",
        type=int,
        metavar="EPOCHS",
        help="Stop when the score on a held-out tenth of the training listings has not improved for this many epochs; "
        "keep the best epoch. The test set takes no part.",
    ),
    _setting(
        "balance",
        "For small classes: repeat photos, repeat them rotated and mirrored, or weight them in the loss.",
        BALANCES,
    ),
    _setting("augment", "How photos are augmented; standard: mirror, rotate, zoom, shift, relight.", AUGMENTS),
    click.option("--use-price", is_flag=True, help="Also give the network the price, which may be missing."),
    _SEED,
)


cache_option = click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    help="Where decoded photos are kept for later runs. [default: $CURATE_CACHE_DIR, else ~/.cache/curate]",
)


def train_options(command: Command) -> Command:
    """Add the options of a recipe and its execution to a command."""
    return _with(command, _TRAIN)


def network_options(command: Command) -> Command:
    """Add the options of a recipe and its execution that may differ from the run's; what is not given is None."""
    return _with(command, (*_network(_epochs("as in the run"), of_run=True), _WORKERS))


def model_options(command: Command) -> Command:
    """Add the options of a single model to a command."""
    return _with(command, _MODEL)


def model_options_without(*names: str) -> Option:
    """Return a decorator that adds :func:`model_options` to a command, except some that it defines itself.

    Parameters
    ----------
    *names : str
        E.g. ``"--model"``.
    """
    # click knows the name of an option only on a command
    named = [(click.command(option(lambda: None)).params[0].opts[0], option) for option in _MODEL]
    return lambda command: _with(command, [option for name, option in named if name not in names])


def _with(command: Command, options: Sequence[Option]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def train_settings(options: dict[str, Any]) -> tuple[Recipe, Execution]:
    """Make a recipe and its execution of the options that :func:`train_options` added."""
    limit = options.pop("time_limit")
    return read_settings({**options, "time_limit": None if limit is None else parse_duration(limit)})


def model_recipe(options: dict[str, Any]) -> Recipe:
    """Make a recipe of the options that :func:`model_options` added.

    Raises
    ------
    InputError
        If a value is out of range, or there is none.
    """
    steps, schedule = _lr_steps(options.pop("lr_steps")), options.pop("schedule")
    # changing at iterations is what a constant rate can do
    schedule = schedule or ("constant" if steps else _DEFAULT.schedule)
    return Recipe(**options, lr_steps=steps, schedule=schedule)


def _lr_steps(text: str | None) -> tuple[tuple[int, float], ...]:
    """Read ``20000:1e-6,30000:1e-7``."""
    steps = []
    for part in text.split(",") if text else []:
        begins, _, rate = part.partition(":")
        try:
            steps.append((int(begins), float(rate)))
        except ValueError:
            raise InputError(
                "--lr-steps can't be read",
                got=part,
                wanted="ITERATION:RATE, e.g. 20000:1e-6",
                fix="Separate by commas.",
            ) from None
    return tuple(steps)


def refuse_without_effect(names: set[str], when: str, fix: str) -> None:
    """Refuse options that were given and would do nothing.

    Parameters
    ----------
    names : set of str
        Parameters of the current command.
    when : str
        E.g. ``"with --probabilities: nothing is trained"``.
    fix : str
        What to do instead.
    """
    context = click.get_current_context()
    given = [
        parameter.opts[0] if context.params[str(parameter.name)] is not False else parameter.secondary_opts[0]
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name) == click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise InputError(f"{', '.join(given)} has no effect {when}", fix=fix)


def formats(*, reads: bool) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return what completes the format of another tool in a shell.

    Parameters
    ----------
    reads : bool
        Whether decisions come back from it, or listings come from it.
    """

    def offered(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        # slow to import
        from curation.interchange.contract import FORMATS

        fitting = [each.name for each in FORMATS.values() if (each.reads if reads else each.gives)]
        return [name for name in fitting if name.startswith(begun)]

    return offered


def check_train_options(recipe: Recipe, *, given: bool) -> None:
    """Refuse options of training that were given and would do nothing.

    Parameters
    ----------
    recipe : Recipe
        Settled, as :meth:`training.settings.Execution.complete` returns it.
    given : bool
        Whether probabilities are given, so that nothing is trained.
    """
    if given:
        without_effect = {
            "folds",
            *Recipe.__dataclass_fields__,
            *Execution.__dataclass_fields__,
        } - _KEPT_WITH_PROBABILITIES
        refuse_without_effect(without_effect, "with --probabilities: nothing is trained", "Leave it out.")
    elif not recipe.has_network:
        when, fix = "without a network", "Add --preset resnet or --epochs, or leave it out."
        refuse_without_effect({"model"}, when, f"Name it with --features. {fix}")
        # it also decides what makes the features, unless that is named
        idle = _OF_THE_NETWORK | (set() if recipe.features == AUTO else {"pretrained"})
        refuse_without_effect(idle, when, fix)
