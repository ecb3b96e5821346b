"""The buttons and keys of a review: in the grid, on the open photo, and in FiftyOne's list of operators.

They handle clicks and show outcomes; :mod:`curation.review.app.decide` records the decisions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from curation.errors import CurateError
from curation.review.app.decide import ACCEPT, KEEP_ONE, Outcome, class_named, decide, keep_one, latest
from curation.review.app.following import following, open_photo, photos_shown
from curation.review.app.forms import FOR_ALL, form_for_all, new_class_form, note_form, price_form, relabel_form
from curation.review.app.mirror import PREFIX, look_at, run_of
from curation.review.app.show import ShowCard, ShowProgress
from curation.review.journal_state import Standing, standing_of
from curation.run.journal import NOTE, UNDO, Decision, person, words_of

__all__ = ["register"]

_URI = "@curate/review"
_GRID = types.Places.SAMPLES_GRID_SECONDARY_ACTIONS
_OPENED = types.Places.SAMPLES_VIEWER_ACTIONS
_NOTHING = {"changed": 0}


def _is_ours(ctx: Any) -> bool:
    """Return whether the open dataset is a run; other datasets get no buttons."""
    return ctx.dataset is not None and "curate" in (ctx.dataset.info or {})


def _chosen(ctx: Any) -> list[str]:
    """Return the open photo, otherwise the selection.

    The grid keeps its selection behind an open photo, and a key must not act on photos that nobody sees.
    """
    opened = open_photo(ctx)
    return [opened] if opened else list(ctx.selected)


def _act(ctx: Any, action: Callable[[], Outcome]) -> dict[str, Any]:
    """Decide, and open the next photo, unless the page shows it already."""
    if ctx.params.get("sample"):
        outcome = _notified(ctx, action)
        return {"changed": len(outcome.changed)} if outcome else _NOTHING
    opened = open_photo(ctx)
    photos = photos_shown(ctx, opened) if opened else {}
    outcome = _notified(ctx, action)
    moves_on = outcome is not None and outcome.action not in (UNDO, NOTE)
    after = following(run_of(ctx.dataset), opened, photos) if opened and moves_on else iter(())
    return _ended(ctx, outcome, next((sample for sample, _ in after), None))


def _take_back_latest(ctx: Any, reviewer: str) -> dict[str, Any]:
    """Undo this reviewer's latest click, for one or more listings, and show them again."""
    samples = latest(ctx.dataset, reviewer)
    outcome = _notified(ctx, lambda: decide(ctx.dataset, samples, UNDO, reviewer=reviewer))
    return _ended(ctx, outcome, samples[0] if samples else None)


def _ended(ctx: Any, outcome: Outcome | None, opened: str | None) -> dict[str, Any]:
    """Update the grid, or open another photo if there is one to open.

    Behind an open photo, the grid stays as it is until the photo is closed (see the plugin's JavaScript). Reloading it
    takes longer than everything else, and the photo just decided on would be missing when the reviewer goes back.
    """
    if outcome is None or not outcome.changed:
        return _NOTHING
    if ctx.current_sample:
        stays = outcome.action == UNDO or not opened
        if stays:
            # otherwise the sidebar would show the old values; reload_samples does not update the open photo
            ctx.ops.reload_dataset()
        if opened:
            ctx.trigger("@voxel51/operators/open_sample" if stays else f"{_URI}/go_on", {"id": opened})
        elif outcome.action not in (UNDO, NOTE):
            # the last one stays open, and the keys that follow were not meant for it
            ctx.trigger(f"{_URI}/go_on", {"last": open_photo(ctx)})
    else:
        ctx.ops.clear_selected_samples()
        ctx.ops.reload_samples()
    # the card and the progress panel reload their data
    ctx.trigger(f"{_URI}/changed")
    return {"changed": len(outcome.changed), "opens": opened}


def _notified(ctx: Any, action: Callable[[], Outcome]) -> Outcome | None:
    """Decide and show the outcome; return None if that failed."""
    try:
        outcome = action()
    except CurateError as error:
        ctx.ops.notify(str(error), variant="error")
        return None
    ctx.ops.notify(str(outcome), variant="success" if outcome.changed and not outcome.skipped else "warning")
    return outcome


class _Reviewing(foo.Operator):  # type: ignore[misc]
    """Decides in the name of a reviewer."""

    reviewer = ""
    #: The only run that is decided on; None for any.
    run: str | None = None
    act: Callable[[Any], dict[str, Any]]

    def execute(self, ctx: Any) -> dict[str, Any]:
        if not _is_ours(ctx):
            return _NOTHING
        # the database says which run a dataset is of, and another program may have changed that
        if self.run not in (None, ctx.dataset.info["curate"].get("run")):
            ctx.ops.notify(f"Nothing was recorded: this is the review of {self.run}.", variant="error")
            return _NOTHING
        return self.act(ctx)


class _Action(_Reviewing):
    """A button of the grid, and the operator that its key calls."""

    action = ""
    title = ""
    icon = ""
    place = _GRID
    has_form = False

    @property
    def config(self) -> Any:
        suffix = "" if self.place == _GRID else "_opened"
        return foo.OperatorConfig(
            name=self.action + suffix, label=self.title, icon=self.icon, unlisted=bool(suffix), view_target=False
        )

    def resolve_placement(self, ctx: Any) -> Any:
        # by name: the App asks for every button after every click, and ctx.dataset would be reloaded for each
        if not (ctx.dataset_name or "").startswith(PREFIX):
            return None
        return types.Placement(self.place, types.Button(label=self.title, icon=self.icon, prompt=self.has_form))

    # no resolve_input: if it returns nothing, an empty dialog opens and never closes (FiftyOne 1.22.1)

    def act(self, ctx: Any) -> dict[str, Any]:
        samples = _chosen(ctx)
        if not samples:
            ctx.prompt(f"{_URI}/decide_on_view", params={"action": self.action})
            return _NOTHING
        return _act(ctx, lambda: decide(ctx.dataset, samples, self.action, reviewer=self.reviewer))


class Keep(_Action):
    """Keep: the given label is right."""

    action, title, icon = "keep", "Keep (k)", "check"


class Accept(_Action):
    """Accept: the suggested label is right."""

    action, title, icon = ACCEPT, "Accept suggestion (a)", "auto_fix_high"


class Reprice(_Action):
    """Reprice: the suggested price is right."""

    action, title, icon = "reprice", "Set the price that would fit (f)", "price_check"


class Ambiguous(_Action):
    """Several labels fit: the listing stays as it is."""

    action, title, icon = "ambiguous", "Several labels fit (s)", "call_split"


class Delete(_Action):
    """Delete: the listing does not belong in the data. Nothing is removed before the fixes are applied."""

    action, title, icon = "delete", "Delete (d)", "delete"


class Undo(_Action):
    """Undo the decision on the chosen photos, otherwise the latest click."""

    action, title, icon = UNDO, "Undo (u)", "undo"

    def act(self, ctx: Any) -> dict[str, Any]:
        """Decide. After a decision, the next photo is open and has none; then the latest decision is meant."""
        samples, seen = _chosen(ctx), ctx.params.get("seen")
        standing = standing_of(run_of(ctx.dataset))
        rows = look_at(ctx.dataset, samples)
        # the page names the decision that its card showed when the key was pressed
        if not (seen or (seen is None and any(row.id in standing.holding for row in rows))):
            return _take_back_latest(ctx, self.reviewer)
        if seen and (unseen := _unseen(standing, rows[0].id, seen, self.reviewer)):
            ctx.ops.notify(
                f"Nothing was undone: {unseen.reviewer} has decided on {unseen.id} since.", variant="warning"
            )
            ctx.trigger(f"{_URI}/changed")
            return _NOTHING
        return _act(ctx, lambda: decide(ctx.dataset, samples, UNDO, reviewer=self.reviewer))


def _unseen(standing: Standing, id: str, seen: list[str], reviewer: str) -> Decision | None:
    """Return a colleague's decision that an undo would take back, though the card did not show it."""
    stack = standing.stacks.get(id, [])
    if not stack or any(person(word.reviewer) == person(reviewer) for word in words_of(stack)):
        return None
    return None if [stack[-1].reviewer, stack[-1].time] == seen else stack[-1]


class KeepOne(_Action):
    """Of several reposts, keep the open one."""

    action, title, icon = KEEP_ONE, "Keep this repost, delete the others (o)", "filter_1"

    def act(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        samples = _chosen(ctx)
        if len(samples) != 1:
            ctx.ops.notify("Open or select the one repost to keep.", variant="warning")
            return _NOTHING
        return _act(ctx, lambda: keep_one(ctx.dataset, samples[0], reviewer=self.reviewer))


class Relabel(_Action):
    """Relabel: another label is right."""

    action, title, icon, has_form = "relabel", "Relabel (e)", "edit", True

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form: the classes, likely ones first."""
        return relabel_form(ctx, _chosen(ctx))

    def act(self, ctx: Any) -> dict[str, Any]:
        """Decide; a class that does not exist yet takes a second form."""
        label, typed, note = (ctx.params.get(name) for name in ("label", "new_class", "note"))
        if typed and typed.strip():
            try:
                label, is_new = class_named(run_of(ctx.dataset), typed)
            except CurateError as error:
                ctx.ops.notify(str(error), variant="error")
                return _NOTHING
            if is_new:
                ctx.prompt(f"{_URI}/add_class", params={"label": label, "note": note, "about": open_photo(ctx)})
                return _NOTHING
        if not label:
            ctx.ops.notify("Choose a class, or type a new one.", variant="warning")
            return _NOTHING
        return _relabel(ctx, self.reviewer, label=label, note=note)


class AddClass(_Reviewing):
    """Asks whether a name that was typed is to be a class, and relabels."""

    @property
    def config(self) -> Any:
        """Return its name."""
        return foo.OperatorConfig(name="add_class", label="Make it a class", unlisted=True, view_target=False)

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        return new_class_form(ctx.params.get("label") or "", ctx.params.get("note"), open_photo(ctx))

    def act(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        label = ctx.params.get("label")
        return (
            _relabel(ctx, self.reviewer, label=label, note=ctx.params.get("note"), new_class=True)
            if label
            else _NOTHING
        )


def _relabel(ctx: Any, reviewer: str, **words: Any) -> dict[str, Any]:
    samples = _chosen(ctx) or ctx.view.values("id")
    return _act(ctx, lambda: decide(ctx.dataset, samples, "relabel", reviewer=reviewer, **words))


class SetPrice(_Action):
    """Set another price."""

    action, title, icon, has_form = "set_price", "Set a price (p)", "sell", True

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        return price_form(ctx, _chosen(ctx))

    def act(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        samples, price = _chosen(ctx), (ctx.params.get("price") or "").strip()
        if not samples or not price:
            return _NOTHING
        return _act(ctx, lambda: decide(ctx.dataset, samples, "reprice", reviewer=self.reviewer, price=price))


class Note(_Action):
    """Note: words about the listing."""

    action, title, icon, has_form = NOTE, "Note (n)", "sticky_note_2", True

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        return note_form(ctx, _chosen(ctx))

    def act(self, ctx: Any) -> dict[str, Any]:
        """Record the note."""
        samples, note = _chosen(ctx), (ctx.params.get("note") or "").strip()
        if not samples or not note:
            return _NOTHING
        return _act(ctx, lambda: decide(ctx.dataset, samples, NOTE, reviewer=self.reviewer, note=note))


class AskRelabel(foo.Operator):  # type: ignore[misc]
    """Opens a form, which a key can't do directly."""

    form = "relabel"

    @property
    def config(self) -> Any:
        """Return its name."""
        return foo.OperatorConfig(name=f"ask_{self.form}", label=self.form, unlisted=True, view_target=False)

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Open the form."""
        if not _is_ours(ctx):
            return {}
        about = ctx.params.get("about")
        ctx.prompt(f"{_URI}/{self.form}", params={"about": about} if about else None)
        return {"asked": True}


class AskNote(AskRelabel):
    """The same for a note."""

    form = NOTE


class AskPrice(AskRelabel):
    """The same for a price."""

    form = SetPrice.action


class DecideOnView(_Reviewing):
    """Asks before a decision on all photos shown."""

    @property
    def config(self) -> Any:
        """Return its name."""
        return foo.OperatorConfig(name="decide_on_view", label="Decide on all photos shown", view_target=False)

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        return form_for_all(ctx)

    def act(self, ctx: Any) -> dict[str, Any]:
        """Decide."""
        action = ctx.params.get("action")
        if action not in FOR_ALL:
            return _NOTHING
        return _act(ctx, lambda: decide(ctx.dataset, ctx.view.values("id"), action, reviewer=self.reviewer))


_ACTIONS = (Keep, Accept, Relabel, Reprice, SetPrice, Ambiguous, Delete, Undo, KeepOne, Note)


def _bound(operator: type[_Reviewing], suffix: str = "", **also: Any) -> type[_Reviewing]:
    """Return an operator that knows the reviewer; FiftyOne creates the object itself, from the class alone."""
    return type(f"{operator.__name__}{suffix}", (operator,), also)


def register(plugin: Any, reviewer: str, run: str | None = None) -> None:
    """Register all operators with FiftyOne.

    Parameters
    ----------
    plugin : fiftyone.plugins.context.PluginContext
    reviewer : str
        Who decides in this process.
    run : str, optional
        The folder of the only run that can be decided on; by default that of any open dataset.
    """
    for action in _ACTIONS:
        plugin.register(_bound(action, reviewer=reviewer, run=run))
        # an operator has a single place, so the button of the open photo is another operator
        plugin.register(_bound(action, "Opened", reviewer=reviewer, run=run, place=_OPENED))
    plugin.register(_bound(AddClass, reviewer=reviewer, run=run))
    plugin.register(_bound(DecideOnView, reviewer=reviewer, run=run))
    for other in (AskRelabel, AskPrice, AskNote, ShowCard, ShowProgress):
        plugin.register(other)
