"""Who may import whom."""

import pytest

from tests.project.structure import ROOT, arrows, back_arrows, modules

#: What each package and loose module may import. An arrow that is not here needs a reason, and one that is gone is
#: removed: the table is the structure, not a wish.
MAY_IMPORT = {
    "curation.api": [
        "curation.auditing",
        "curation.comparison",
        "curation.demo_data",
        "curation.errors",
        "curation.evidence",
        "curation.find",
        "curation.fixes",
        "curation.gate",
        "curation.incoming",
        "curation.interchange",
        "curation.issues",
        "curation.learning",
        "curation.listings",
        "curation.rendering",
        "curation.report",
        "curation.review",
        "curation.run",
        "curation.verification",
        "training.engine",
        "training.images",
        "training.settings",
        "training.utils",
    ],
    "curation.auditing": [
        "curation.errors",
        "curation.rendering",
        "curation.run",
        "training.evaluation",
        "training.utils",
    ],
    "curation.cli": [
        "curation.auditing",
        "curation.comparison",
        "curation.errors",
        "curation.fixes",
        "curation.gate",
        "curation.interchange",
        "curation.issues",
        "curation.listings",
        "curation.models",
        "curation.remote",
        "curation.rendering",
        "curation.review",
        "curation.run",
        "training.settings",
        "training.utils",
    ],
    "curation.comparison": [
        "curation.errors",
        "curation.evidence",
        "curation.fixes",
        "curation.listings",
        "curation.rendering",
        "curation.run",
        "training.crossval",
        "training.evaluation",
        "training.features",
        "training.images",
        "training.networks",
        "training.settings",
        "training.utils",
    ],
    "curation.copying": [
        "curation.errors",
        "curation.listings",
        "curation.remote",
        "curation.rendering",
        "curation.run",
        "training.utils",
    ],
    "curation.demo_data": ["curation.errors", "curation.rendering", "training.utils"],
    "curation.errors": ["training.errors"],
    "curation.evidence": [
        "curation.errors",
        "curation.listings",
        "curation.photos",
        "curation.run",
        "training.crossval",
        "training.engine",
        "training.features",
        "training.fit",
        "training.images",
        "training.networks",
        "training.settings",
        "training.utils",
    ],
    "curation.exploration": [
        "curation.errors",
        "curation.listings",
        "curation.rendering",
        "training.images",
        "training.utils",
    ],
    "curation.find": [
        "curation.evidence",
        "curation.issues",
        "curation.listings",
        "curation.photos",
        "curation.report",
        "curation.run",
        "training.crossval",
        "training.engine",
        "training.errors",
        "training.features",
        "training.images",
        "training.settings",
        "training.utils",
    ],
    "curation.fixes": [
        "curation.errors",
        "curation.listings",
        "curation.rendering",
        "curation.run",
        "training.utils",
    ],
    "curation.gate": [
        "curation.auditing",
        "curation.errors",
        "curation.issues",
        "curation.rendering",
        "curation.run",
        "training.utils",
    ],
    "curation.incoming": [
        "curation.errors",
        "curation.evidence",
        "curation.issues",
        "curation.listings",
        "curation.photos",
        "curation.remote",
        "curation.rendering",
        "curation.report",
        "curation.run",
        "training.crossval",
        "training.engine",
        "training.errors",
        "training.features",
        "training.images",
        "training.utils",
    ],
    "curation.interchange": [
        "curation.errors",
        "curation.fixes",
        "curation.listings",
        "curation.rendering",
        "curation.review",
        "curation.run",
        "training.utils",
    ],
    "curation.issues": [
        "curation.errors",
        "curation.evidence",
        "curation.listings",
        "curation.photos",
        "curation.rendering",
        "curation.run",
        "training.features",
        "training.utils",
    ],
    "curation.learning": [
        "curation.errors",
        "curation.evidence",
        "curation.issues",
        "curation.listings",
        "curation.rendering",
        "curation.report",
        "curation.run",
        "training.crossval",
        "training.features",
        "training.utils",
    ],
    "curation.listings": [
        "curation.errors",
        "curation.remote",
        "curation.rendering",
        "training.crossval",
        "training.images",
        "training.utils",
    ],
    "curation.models": [
        "curation.errors",
        "curation.evidence",
        "curation.listings",
        "curation.photos",
        "curation.rendering",
        "curation.run",
        "training.crossval",
        "training.errors",
        "training.evaluation",
        "training.fit",
        "training.images",
        "training.networks",
        "training.settings",
        "training.utils",
    ],
    "curation.photos": [
        "curation.listings",
        "training.engine",
        "training.errors",
        "training.images",
        "training.utils",
    ],
    "curation.remote": ["curation.errors", "curation.rendering", "training.images", "training.utils"],
    "curation.rendering": ["curation.errors", "training.images", "training.utils"],
    "curation.report": [
        "curation.comparison",
        "curation.issues",
        "curation.rendering",
        "curation.run",
        "training.utils",
    ],
    "curation.review": [
        "curation.errors",
        "curation.rendering",
        "curation.run",
        "training.evaluation",
        "training.images",
        "training.utils",
    ],
    "curation.run": [
        "curation.errors",
        "curation.listings",
        "curation.remote",
        "curation.rendering",
        "training.settings",
        "training.utils",
    ],
    "curation.verification": [
        "curation.errors",
        "curation.fixes",
        "curation.listings",
        "curation.rendering",
        "curation.run",
        "training.utils",
    ],
    "training.crossval": [
        "training.engine",
        "training.errors",
        "training.features",
        "training.fit",
        "training.images",
        "training.networks",
        "training.settings",
        "training.utils",
    ],
    "training.engine": ["training.errors", "training.utils"],
    "training.errors": [],
    "training.evaluation": ["training.utils"],
    "training.features": [
        "training.engine",
        "training.errors",
        "training.images",
        "training.networks",
        "training.settings",
        "training.utils",
    ],
    "training.fit": ["training.errors", "training.images", "training.networks", "training.settings", "training.utils"],
    "training.images": [
        "training.engine",
        "training.errors",
        "training.utils",
    ],
    "training.networks": [
        "training.errors",
        "training.evaluation",
        "training.images",
        "training.settings",
        "training.utils",
    ],
    "training.settings": ["training.errors"],
    "training.utils": ["training.errors"],
}


def test_every_import_between_packages_is_in_the_table_and_the_table_has_no_other():
    assert {room: sorted(others) for room, others in arrows().items()} == MAY_IMPORT


def test_imports_lead_down_and_never_in_a_circle():
    assert back_arrows(arrows()) == []


def test_training_knows_nothing_of_curation():
    named = {room: others for room, others in MAY_IMPORT.items() if room.startswith("training.")}
    assert [room for room, others in named.items() if any(name.startswith("curation") for name in others)] == []


def test_nothing_but_the_command_line_imports_the_command_line():
    assert [room for room, others in MAY_IMPORT.items() if "curation.cli" in others] == []


@pytest.mark.parametrize(
    ("package", "loose"),
    [("curation", {"errors.py", "find.py"}), ("training", {"errors.py", "settings.py"})],
)
def test_few_modules_lie_loose(package, loose):
    assert {path.name for path in (ROOT / package).glob("*.py")} == {*loose, "__init__.py"}


def test_an_import_back_up_is_noticed(tmp_path):
    for name, text in {"top": "from curation.low import x", "low": "from curation import top"}.items():
        (tmp_path / "curation" / name).mkdir(parents=True)
        (tmp_path / "curation" / name / "__init__.py").write_text(text)
    assert arrows(tmp_path) == {"curation.top": {"curation.low"}, "curation.low": {"curation.top"}}
    assert back_arrows(arrows(tmp_path)) != []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_has_more_than_500_lines(path):
    assert len(path.read_text().splitlines()) <= 500
