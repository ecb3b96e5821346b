"""How a run looks in the App: the sidebar, the colours, the saved views."""

from __future__ import annotations

from typing import Any

from curation.review.environment import load_fiftyone

__all__ = ["TO_REVIEW", "set_look", "view_name"]

TO_REVIEW = "To review"
DECIDED = "Decided"
_COLOURS = {"keep": "#2e7d32", "relabel": "#ef6c00", "delete": "#c62828"}
_GROUPS = {
    # in the order they are read: what is the question, what was said, the rest. The tags on a tile follow it too.
    "question": ["ground_truth", "suggested", "reasons", "issues", "price", "price_low", "price_high", "title"],
    "decision": ["decision", "new_label", "reviewer", "reviewed_at", "review_note"],
    "listing": ["listing_id", "original_label", "near_duplicate_group", "split", "fold"],
    "scores": ["priority", "predictions"],
}
_OPEN = ("question", "decision")
# more classes than this make a column of radio buttons longer than the screen
_MANY_CLASSES = 12


def view_name(kind: str) -> str:
    """Return the name of the saved view of an issue kind.

    Examples
    --------
    >>> view_name("near_duplicate")
    'Near duplicate issues'
    """
    return f"{kind.replace('_', ' ').capitalize()} issues"


def set_look(dataset: Any, kinds: list[str], classes: list[str]) -> None:
    """Arrange the dataset for the review. Done at every opening: the look is ours, filters are the reviewer's."""
    fo = load_fiftyone()
    config = dataset.app_config
    groups = {name: list(paths) for name, paths in _GROUPS.items()}
    groups["scores"] += [f"{kind}_score" for kind in kinds]
    # a field in no group would make a group of its own; this one FiftyOne makes anyway, open at the top
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
        paths=["ground_truth", "suggested", "price", "issues", "decision", "new_label"], exclude=False
    )
    config.color_scheme = fo.ColorScheme(
        color_by="value",
        fields=[
            {
                "path": "decision",
                "valueColors": [{"value": value, "color": color} for value, color in _COLOURS.items()],
            },
            {"path": "issues", "fieldColor": "#5c6bc0", "colorByAttribute": None},
        ],
    )
    dataset.save()
    _save_views(dataset, kinds)
    _allow_annotating(dataset, classes)


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
        orders = [(field, 1) for field in (f"{kind}_score", f"{kind}_group") if dataset.has_sample_field(field)]
        if len(view):
            _save(dataset, view_name(kind), view.sort_by([*orders, ("priority", 1)]), "worst first")
        elif dataset.has_saved_view(view_name(kind)):
            dataset.delete_saved_view(view_name(kind))
    _save(dataset, DECIDED, dataset.match(decided).sort_by("reviewed_at", reverse=True), "latest first")


def _save(dataset: Any, name: str, view: Any, description: str) -> None:
    dataset.save_view(name, view, description=description, overwrite=True)


def _allow_annotating(dataset: Any, classes: list[str]) -> None:
    """Let FiftyOne's own Annotate tab edit the label; the run's classes are all it offers."""
    component = "radio" if len(classes) <= _MANY_CLASSES else "dropdown"
    schema = {"type": "classification", "component": component, "classes": classes, "attributes": []}
    dataset.update_label_schema("ground_truth", schema)
    dataset.activate_label_schemas(["ground_truth"])
