"""How a run looks in the App: the sidebar, the colours, the saved views."""

from __future__ import annotations

from typing import Any

from curation.review.app.comparison import COMPARED, PREDICTED
from curation.review.app.environment import load_fiftyone
from curation.review.app.panels import EVALUATION, PLOT

__all__ = ["ALL", "MANY_CLASSES", "TO_REVIEW", "WORKSPACE", "set_look", "slug", "view_name"]

TO_REVIEW = "To review"
DISAGREEMENTS = "Disagreements"
DONE = "Done"
ALL = "All"
WORKSPACE = "Review"
_DECISIONS = {
    "keep": "#2e7d32",
    "relabel": "#ef6c00",
    "reprice": "#00838f",
    "ambiguous": "#6a1b9a",
    "delete": "#c62828",
}
# dark enough for white letters (contrast 4.5 and more), and all different
_COLOURS = (
    "#1565c0", "#b71c1c", "#2e7d32", "#6a1b9a", "#a84300", "#00695c", "#ad1457", "#4e342e", "#37474f", "#283593",
    "#827717", "#558b2f", "#0277bd", "#7b1fa2", "#c2185b", "#5d4037",
)  # fmt: skip
_GROUPS = {
    # the order in which people read: the question, the decision, the rest; the tags on a tile have the same order
    "question": [
        "ground_truth",
        "suggested",
        "reasons",
        "issues",
        "price",
        "price_low",
        "price_high",
        "suggested_price",
        "title",
    ],
    "decision": ["decision", "new_label", "new_price", "reviewer", "reviewed_at", "review_note", "disagreement"],
    "listing": ["listing_id", "original_label", "near_duplicate_group", "split", "fold"],
    "scores": ["priority", "predictions", "none_of_these", EVALUATION, *COMPARED],
}
_OPEN = ("question", "decision")
_LABELS = ("ground_truth", "suggested", "predictions", *PREDICTED.values())
#: More classes than this make a column of radio buttons longer than the screen.
MANY_CLASSES = 12


def view_name(kind: str) -> str:
    """Return the name of the saved view of an issue kind.

    Examples
    --------
    >>> view_name("near_duplicate")
    'Near duplicate issues'
    """
    return f"{kind.replace('_', ' ').capitalize()} issues"


def set_look(dataset: Any, kinds: list[str], classes: list[str]) -> None:
    """Arrange the dataset for the review, at every opening: the look is ours, filters are the reviewer's.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        The dataset of a run.
    kinds : list of str
        Names of the kinds of issues.
    classes : list of str
        Names of the classes.
    """
    fo = load_fiftyone()
    config = dataset.app_config
    groups = {name: list(paths) for name, paths in _GROUPS.items()}
    groups["scores"] += [f"{kind}_score" for kind in kinds]
    # a field without a group would get one of its own; FiftyOne adds this group anyway, open at the top
    groups["metadata"] = _other_fields(dataset, groups)
    config.sidebar_groups = [
        fo.SidebarGroupDocument(
            name=name,
            paths=[path for path in paths if name == "metadata" or dataset.has_sample_field(path)],
            expanded=name in _OPEN,
        )
        for name, paths in groups.items()
    ] + [fo.SidebarGroupDocument(name="tags", paths=[], expanded=False)]
    config.active_fields = fo.ActiveFields(
        paths=["ground_truth", "suggested", "price", "issues", "decision", "new_label", "new_price"], exclude=False
    )
    config.color_scheme = _colours(fo, kinds, classes)
    config.media_fields = ["filepath", "thumbnail"]
    config.grid_media_field = "thumbnail"
    dataset.save()
    _save_views(dataset, kinds)
    dataset.save_workspace(WORKSPACE, _workspace(fo, dataset), description="photos, progress, plot", overwrite=True)
    _allow_annotating(dataset, classes)


def slug(name: str) -> str:
    """Return the name of a saved view or workspace in the address of the App.

    Examples
    --------
    >>> slug("To review")  # doctest: +SKIP
    'to-review'
    """
    from fiftyone.core.utils import to_slug

    return str(to_slug(name))


def _colours(fo: Any, kinds: list[str], classes: list[str]) -> Any:
    """Give each class the same colour everywhere; with more classes than colours, colours repeat."""
    labels = [{"value": name, "color": _COLOURS[place % len(_COLOURS)]} for place, name in enumerate(classes)]
    issues = [{"value": kind, "color": _COLOURS[place % len(_COLOURS)]} for place, kind in enumerate(kinds)]
    decisions = [{"value": value, "color": colour} for value, colour in _DECISIONS.items()]
    fields = [{"path": path, "colorByAttribute": "label", "valueColors": labels} for path in _LABELS]
    fields += [{"path": path, "valueColors": labels} for path in ("original_label", "new_label")]
    fields += [{"path": "decision", "valueColors": decisions}, {"path": "issues", "valueColors": issues}]
    return fo.ColorScheme(color_by="value", color_pool=list(_COLOURS), fields=fields)


def _workspace(fo: Any, dataset: Any) -> Any:
    """Return the layout: the photos, and beside them the progress and the plot, if there is one."""
    beside = [_space(fo, fo.Panel(type="review_progress"))]
    if dataset.has_brain_run(PLOT):
        # FiftyOne 1.22.1 opens this panel at its list of plots, whatever state it is given
        beside.append(_space(fo, fo.Panel(type="Embeddings")))
    right = fo.Space(children=beside, orientation="vertical") if len(beside) > 1 else beside[0]
    photos = _space(fo, fo.Panel(type="Samples", pinned=True))
    return fo.Space(children=[photos, right], orientation="horizontal", sizes=[0.68, 0.32])


def _space(fo: Any, panel: Any) -> Any:
    # without an active child the App shows nothing at all
    return fo.Space(children=[panel], active_child=panel.component_id)


def _other_fields(dataset: Any, groups: dict[str, list[str]]) -> list[str]:
    grouped = {path for paths in groups.values() for path in paths} | {"tags", "metadata"}
    metadata = [name for name in dataset.get_field_schema(flat=True) if name.startswith("metadata.")]
    return [name for name in dataset.get_field_schema() if name not in grouped] + metadata


def _save_views(dataset: Any, kinds: list[str]) -> None:
    from fiftyone import ViewField

    flagged, decided = ViewField("issues").length() > 0, ViewField("decision").exists()
    _save(dataset, TO_REVIEW, dataset.match(flagged & ~decided).sort_by("priority"), "flagged and not decided on yet")
    for kind in kinds:
        view = dataset.match(ViewField("issues").contains(kind))
        # Sorting keeps reposts together. FiftyOne's own groups show one tile each, and a decision on all photos shown
        # would skip the others.
        orders = [(field, 1) for field in (f"{kind}_order", f"{kind}_score") if dataset.has_sample_field(field)]
        if len(view):
            _save(dataset, view_name(kind), view.sort_by([*orders[:1], ("priority", 1)]), "worst first")
        elif dataset.has_saved_view(view_name(kind)):
            dataset.delete_saved_view(view_name(kind))
    _save(dataset, DISAGREEMENTS, dataset.match({"disagreement": True}).sort_by("priority"), "reviewers differ")
    _save(dataset, DONE, dataset.match(decided).sort_by("reviewed_at", reverse=True), "decided on, latest first")
    _save(dataset, ALL, dataset.sort_by("priority"), "every listing, by priority")


def _save(dataset: Any, name: str, view: Any, description: str) -> None:
    dataset.save_view(name, view, description=description, overwrite=True)


def _allow_annotating(dataset: Any, classes: list[str]) -> None:
    """Let FiftyOne's own Annotate tab edit the label; the run's classes are all it offers."""
    component = "radio" if len(classes) <= MANY_CLASSES else "dropdown"
    schema = {"type": "classification", "component": component, "classes": classes, "attributes": []}
    dataset.update_label_schema("ground_truth", schema)
    dataset.activate_label_schemas(["ground_truth"])
