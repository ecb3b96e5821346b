"""What the App offers in a review: five buttons and keys, in the grid and on the open photo.

FiftyOne imports this file again for every request, so it only asks and shows; :mod:`curation.review.decide` decides.
"""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from curation.errors import CurateError
from curation.review.decide import decide

_URI = "@curate/review"
_MANY_CLASSES = 12


def _is_ours(ctx: Any) -> bool:
    """Return whether the open dataset is a run; a person's other datasets get no buttons."""
    return ctx.dataset is not None and "curate" in (ctx.dataset.info or {})


def _chosen(ctx: Any) -> list[str]:
    """Return the open photo, else the selection.

    The open photo first: what is selected in the grid stays so behind it, and a key must not act on the unseen.
    """
    return [ctx.current_sample] if ctx.current_sample else list(ctx.selected)


def _next(ctx: Any) -> str | None:
    """Return the photo after the open one. Asked before the decision, which may take the open one out of the view."""
    if not ctx.current_sample:
        return None
    ids = ctx.view.values("id")
    place = ids.index(ctx.current_sample) + 1 if ctx.current_sample in ids else len(ids)
    return ids[place] if place < len(ids) else None


def _act(ctx: Any, samples: list[str], action: str) -> dict[str, Any]:
    """Decide, say so, and go on."""
    following = _next(ctx)
    try:
        outcome = decide(ctx.dataset, samples, action, label=ctx.params.get("label"), note=ctx.params.get("note"))
    except CurateError as error:
        ctx.ops.notify(str(error), variant="error")
        return {"changed": 0}
    ctx.ops.notify(str(outcome), variant="warning" if outcome.skipped else "success")
    if not outcome.changed:
        return {"changed": 0}
    if ctx.current_sample:
        # reload_samples would leave the open photo, and those next to it, as they were
        ctx.ops.reload_dataset()
        if following and action != "undo":
            ctx.ops.open_sample(id=following)
    else:
        ctx.ops.clear_selected_samples()
        ctx.ops.reload_samples()
    return {"changed": len(outcome.changed)}


class _Action(foo.Operator):  # type: ignore[misc]
    """A button of the grid, and what its key calls."""

    action = ""
    title = ""
    icon = ""
    place = types.Places.SAMPLES_GRID_SECONDARY_ACTIONS
    has_form = False

    @property
    def config(self) -> Any:
        suffix = "" if self.place == types.Places.SAMPLES_GRID_SECONDARY_ACTIONS else "_opened"
        return foo.OperatorConfig(
            name=self.action + suffix, label=self.title, icon=self.icon, unlisted=bool(suffix), view_target=False
        )

    def resolve_placement(self, ctx: Any) -> Any:
        if not _is_ours(ctx):
            return None
        return types.Placement(self.place, types.Button(label=self.title, icon=self.icon, prompt=self.has_form))

    # No resolve_input here: one that returns nothing shows an empty dialog that never closes (FiftyOne 1.22.1).

    def execute(self, ctx: Any) -> dict[str, Any]:
        if not _is_ours(ctx):
            return {"changed": 0}
        samples = _chosen(ctx)
        if not samples:
            ctx.prompt(f"{_URI}/decide_on_view", params={"action": self.action})
            return {"changed": 0}
        return _act(ctx, samples, self.action)


class Keep(_Action):
    """The given label is right."""

    action, title, icon = "keep", "Keep (k)", "check"


class Accept(_Action):
    """The suggested label is right."""

    action, title, icon = "accept", "Accept suggestion (a)", "auto_fix_high"


class Delete(_Action):
    """The listing does not belong in the data. Nothing is removed before apply-fixes."""

    action, title, icon = "delete", "Delete (d)", "delete"


class Undo(_Action):
    """Take the latest decision back."""

    action, title, icon = "undo", "Undo (u)", "undo"


class Relabel(_Action):
    """Another label is right."""

    action, title, icon, has_form = "relabel", "Relabel (e)", "edit", True

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        samples = _chosen(ctx)
        target = ctx.dataset.select(samples) if samples else ctx.view
        suggested = {label: n for label, n in target.count_values("suggested.label").items() if label}
        given = {label: n for label, n in target.count_values("original_label").items() if label}
        if not samples:
            inputs.view("all", types.Warning(label=f"Nothing is selected: this is for all {len(target)} photos shown"))
        inputs.message("now", f"Given: {_counted(given)}. Suggested: {_counted(suggested)}.")
        classes = list(ctx.dataset.default_classes)
        choices = types.AutocompleteView() if len(classes) > _MANY_CLASSES else types.RadioGroup()
        for name in classes:
            choices.add_choice(name, label=name)
        likely = max(suggested, key=lambda label: suggested[label]) if suggested else None
        inputs.enum("label", choices.values(), label="Label", required=True, default=likely, view=choices)
        inputs.str("note", label="Note", required=False)
        button = f"Relabel {len(target)}" if len(target) > 1 else "Relabel"
        return types.Property(inputs, view=types.PromptView(label="Relabel", submit_button_label=button))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        if not _is_ours(ctx):
            return {"changed": 0}
        return _act(ctx, _chosen(ctx) or ctx.view.values("id"), self.action)


def _counted(labels: dict[str, int]) -> str:
    ordered = sorted(labels.items(), key=lambda item: -item[1])
    shown = [name if len(ordered) == 1 else f"{name} × {number}" for name, number in ordered[:5]]
    return ", ".join(shown) + (" …" if len(ordered) > 5 else "") if shown else "nothing"


class AskRelabel(foo.Operator):  # type: ignore[misc]
    """Opens the form, which a key can't do by itself."""

    @property
    def config(self) -> Any:
        """Return its name."""
        return foo.OperatorConfig(name="ask_relabel", label="Relabel", unlisted=True, view_target=False)

    def execute(self, ctx: Any) -> None:
        """Open the form."""
        if _is_ours(ctx):
            ctx.prompt(f"{_URI}/relabel")


class DecideOnView(foo.Operator):  # type: ignore[misc]
    """Asks before it decides on everything that is shown."""

    @property
    def config(self) -> Any:
        """Return its name."""
        return foo.OperatorConfig(name="decide_on_view", label="All photos shown", unlisted=True, view_target=False)

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        action = _ACTIONS[ctx.params.get("action", "keep")]
        number = len(ctx.view)
        inputs.str("action", default=action.action, view=types.HiddenView())
        inputs.view(
            "all",
            types.Warning(
                label="Nothing is selected",
                description=f"This is for all {number} photos shown. They can be taken back with Undo.",
            ),
        )
        # "Keep (k)" without its key
        name = action.title.rpartition(" (")[0]
        return types.Property(inputs, view=types.PromptView(label=name, submit_button_label=f"{name}: {number}"))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        if not _is_ours(ctx):
            return {"changed": 0}
        return _act(ctx, ctx.view.values("id"), _ACTIONS[ctx.params["action"]].action)


_ACTIONS: dict[str, type[_Action]] = {action.action: action for action in (Keep, Accept, Relabel, Delete, Undo)}


def _opened(action: type[_Action]) -> type[_Action]:
    """Return the same action as a button of the open photo: an operator has one place only."""
    return type(f"{action.__name__}Opened", (action,), {"place": types.Places.SAMPLES_VIEWER_ACTIONS})


def register(plugin: Any) -> None:
    """Tell FiftyOne what there is."""
    for action in _ACTIONS.values():
        plugin.register(action)
        plugin.register(_opened(action))
    plugin.register(AskRelabel)
    plugin.register(DecideOnView)
