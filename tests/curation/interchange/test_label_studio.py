"""Label Studio: what is written is valid for its own SDK, and its exports come back as decisions."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import pytest

import curation
from curation.cli import main
from curation.errors import DecisionsError, InputError
from curation.interchange.label_studio import CONFIG, TASKS
from tests.cli.test_cli import curate, done
from tests.support.fixes import LISTINGS, files, make_run

ANA, BEN = {"id": 1, "email": "ana@shop.com"}, {"id": 2, "email": "ben@shop.com"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "cleo")
    return curation.open_run(make_run(tmp_path).folder)


@pytest.fixture
def interface():
    """Return Label Studio's own reader of labelling configurations."""
    reason = "label-studio-sdk is not installed: what is written was not validated by Label Studio's own SDK"
    with warnings.catch_warnings():
        # pydantic's, on how that package is written
        warnings.simplefilter("ignore")
        return pytest.importorskip("label_studio_sdk.label_interface", reason=reason).LabelInterface


def exported(run, name="tasks", **options):
    run.export("label-studio", name, **options)
    return json.loads(Path(name, TASKS).read_text()), Path(name, CONFIG).read_text()


def region(control, *choices):
    return {"from_name": control, "to_name": "image", "type": "choices", "value": {"choices": list(choices)}}


def annotation(*regions, by=ANA, time="2026-05-02T10:00:00.123456Z", **more):
    return {"id": 5, "completed_by": by, "result": list(regions), "created_at": time, "updated_at": time, **more}


def export_of(run, answers, name="project.json"):
    """Write what Label Studio exports as JSON when the tasks of a run have these annotations, by listing."""
    tasks = exported(run, f"{name}-tasks", all=True)[0]
    chosen = [
        {"id": number, **task, "annotations": answers[task["data"]["listing_id"]]}
        for number, task in enumerate(tasks, 1)
        if task["data"]["listing_id"] in answers
    ]
    Path(name).write_text(json.dumps(chosen))
    return Path(name)


def said(run):
    return {row.id: (row.action, None if row.new_label is None else row.new_label) for row in plain(run.decisions())}


def plain(table):
    return table.astype(object).where(table.notna(), None).itertuples()


def test_its_own_sdk_finds_configuration_tasks_predictions_and_annotations_valid(run, interface):
    tasks, config = exported(run, all=True)
    labelling = interface(config)
    labelling.validate()
    assert len(tasks) == len(LISTINGS)
    for task in tasks:
        assert labelling.validate_task({"data": task["data"]})
        assert [labelling.validate_prediction(each, return_errors=True) for each in task["predictions"]] in ([], [[]])
    assert labelling.validate_annotation(annotation(region("label", "desk"), region("decision", "delete")))
    assert not labelling.validate_annotation(annotation(region("label", "sofa")))


def test_a_class_with_signs_of_xml_is_a_choice(tmp_path, monkeypatch, interface):
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path)
    made.update(dataset={**made.record()["dataset"], "classes": ['a <"b"> & c', "chair", "desk"]})
    labelling = interface(exported(curation.open_run(made.folder), all=True)[1])
    labelling.validate()
    assert 'a <"b"> & c' in labelling.get_control("label").labels


def test_tasks_are_the_flagged_listings_without_a_decision_with_what_is_suggested(run):
    run.decide("01", "keep", reviewer="ana")
    tasks, _ = exported(run)
    assert [task["data"]["listing_id"] for task in tasks] == ["00", "02", "06"]
    (prediction,) = tasks[0]["predictions"]
    assert prediction["score"] == pytest.approx(0.97)
    assert prediction["result"][0]["value"] == {"choices": ["desk"]}
    assert [task["data"]["listing_id"] for task in exported(run, "first", top=1)[0]] == ["00"]


def test_photos_are_local_files_below_the_document_root_or_begin_with_a_prefix(run):
    local = exported(run)[0][0]["data"]["image"]
    assert local == "/data/local-files/?d=input/photos/00.png"
    assert exported(run, "web", photo_prefix="https://shop.com/p")[0][0]["data"]["image"].startswith(
        "https://shop.com/p/photos/00.png"
    )


def test_photos_outside_of_the_folder_of_the_dataset_are_served_from_a_folder_above_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path)
    listings = made.listings()
    outside = Path("elsewhere/my photo.png")
    outside.parent.mkdir()
    outside.write_bytes(Path("input/photos/00.png").read_bytes())
    made.write_table(made.listings_file, listings.assign(image=[str(outside.absolute()), *listings["image"][1:]]))
    run = curation.open_run(made.folder)
    tasks = {task["data"]["listing_id"]: task["data"]["image"] for task in exported(run, all=True)[0]}
    assert tasks["00"] == f"/data/local-files/?d={tmp_path.name}/elsewhere/my%20photo.png"
    assert tasks["01"] == f"/data/local-files/?d={tmp_path.name}/input/photos/01.png"
    served = run.export("label-studio", "web", photo_prefix="https://shop.com/")
    assert any(f"their path from {tmp_path}" in note for note in served.notes)
    assert json.loads(Path("web", TASKS).read_text())[0]["data"]["image"].endswith("com/elsewhere/my%20photo.png")


def test_answers_come_back_as_keep_relabel_delete_and_ambiguous_with_reviewer_and_time(run):
    file = export_of(
        run,
        {
            "00": [annotation(region("label", "desk"))],
            "01": [annotation(region("label", "chair"))],
            # the prediction stays chosen when somebody answers the second question
            "02": [annotation(region("label", "chair"), region("decision", "delete"), by=BEN)],
            "03": [annotation(region("decision", "ambiguous"))],
            "05": [annotation(was_cancelled=True)],
            "06": [annotation()],
        },
    )
    imported = run.import_decisions("label-studio", file)
    assert said(run) == {
        "00": ("relabel", "desk"),
        "01": ("keep", None),
        "02": ("delete", None),
        "03": ("ambiguous", None),
    }
    first = run.decisions().iloc[0]
    assert (first["reviewer"], first["time"], first["source"]) == (
        "ana@shop.com",
        "2026-05-02T10:00:00.123+00:00",
        "label-studio",
    )
    assert run.decisions().set_index("id")["reviewer"]["02"] == "ben@shop.com"
    assert (imported.new, imported.skipped, imported.unanswered) == (4, 1, 2)


def test_the_small_form_that_its_own_converter_writes_says_the_same(run, interface):
    from label_studio_sdk.converter import Converter

    answers = {"00": [annotation(region("label", "desk"))], "02": [annotation(region("decision", "delete"), by=BEN)]}
    file = export_of(run, answers)
    config = Path("project.json-tasks", CONFIG).read_text()
    Converter(config, project_dir=".").convert_to_json_min(str(file), "small", is_dir=False)
    run.import_decisions("label-studio", Path("small/result.json"))
    assert said(run) == {"00": ("relabel", "desk"), "02": ("delete", None)}
    assert run.import_decisions("label-studio", file).already_there == 2


@pytest.mark.parametrize("separator", [",", "\t"])
def test_the_table_that_its_own_converter_writes_says_the_same(run, interface, separator):
    from label_studio_sdk.converter import Converter

    answers = {
        "00": [annotation(region("label", "desk"))],
        "01": [annotation(region("label", "chair", "desk"))],
        "02": [annotation(region("decision", "delete"), by=BEN)],
        "03": [annotation()],
    }
    file = export_of(run, answers)
    config = Path("project.json-tasks", CONFIG).read_text()
    Converter(config, project_dir=".").convert_to_csv(str(file), "table", is_dir=False, sep=separator, header=True)
    (table,) = Path("table").iterdir()
    table = table.rename(table.with_suffix(".csv" if separator == "," else ".tsv"))
    imported = run.import_decisions("label-studio", table)
    assert said(run) == {"00": ("relabel", "desk"), "01": ("ambiguous", None), "02": ("delete", None)}
    assert imported.unanswered == 1
    assert run.import_decisions("label-studio", file).new == 0


def test_an_export_given_again_adds_nothing(run):
    file = export_of(run, {"00": [annotation(region("label", "desk"))]})
    run.import_decisions("label-studio", file)
    before = files(run.folder)
    again = run.import_decisions("label-studio", file)
    assert (again.new, again.already_there) == (0, 1)
    assert files(run.folder) == before


def test_several_annotators_of_a_task_are_several_reviewers_in_conflict(run):
    file = export_of(run, {"00": [annotation(region("label", "desk")), annotation(region("label", "chair"), by=BEN)]})
    assert run.import_decisions("label-studio", file).conflicts == ("00",)
    assert run.conflicts()["reviewer"].tolist() == ["ana@shop.com", "ben@shop.com"]


def test_an_answer_that_contradicts_a_decision_of_the_review_is_a_conflict_and_replaces_nothing(run):
    run.decide("00", "keep", reviewer="dora")
    file = export_of(run, {"00": [annotation(region("label", "desk"))]})
    assert run.import_decisions("label-studio", file).conflicts == ("00",)
    assert set(run.conflicts()["reviewer"]) == {"dora", "ana@shop.com"}


def test_what_a_reviewer_said_later_in_the_review_stays(run):
    file = export_of(run, {"00": [annotation(region("label", "desk"))]})
    run.decide("00", "keep", reviewer="ana@shop.com")
    imported = run.import_decisions("label-studio", file)
    assert (imported.new, imported.older) == (0, 1)
    assert said(run) == {"00": ("keep", None)}


def test_annotators_without_names_are_numbered_and_one_of_them_may_be_named(run):
    two = {"00": [annotation(region("label", "desk"), by=3)], "01": [annotation(region("label", "NA"), by=4)]}
    file = export_of(run, two)
    with pytest.raises(DecisionsError, match="2 annotators"):
        run.import_decisions("label-studio", file, reviewer="ana")
    run.import_decisions("label-studio", file)
    assert run.decisions()["reviewer"].tolist() == ["annotator 3", "annotator 4"]
    one = export_of(run, {"03": [annotation(region("label", "chair"), by=3)]}, "one.json")
    run.import_decisions("label-studio", one, reviewer="ana")
    assert run.decisions()["reviewer"].tolist()[-1] == "ana"


def test_the_last_import_is_taken_back_in_one_step_and_nothing_else(run):
    run.decide("05", "delete", reviewer="dora")
    run.import_decisions("label-studio", export_of(run, {"00": [annotation(region("label", "desk"))]}))
    more = {"01": [annotation(region("label", "NA"))], "03": [annotation(region("label", "chair"))]}
    run.import_decisions("label-studio", export_of(run, more, "more.json"))
    assert "2 decisions taken back" in done("undo", "--imported").stdout
    assert set(said(run)) == {"05", "00"}
    assert run.undo(imported=True).undone == 1
    assert set(said(run)) == {"05"}
    refused = curate("undo", "--imported")
    assert refused.exit_code == 2
    assert "nothing to undo" in refused.stderr


def test_a_dry_run_counts_and_records_nothing(run):
    file = export_of(run, {"00": [annotation(region("label", "desk"))]})
    shown = done("import-decisions", "label-studio", file, "--dry-run").stdout
    assert "Would record: 1 new decision (1 relabel)." in shown
    assert not (run.folder / "decisions.jsonl").exists()


def test_the_command_tells_what_it_recorded_also_as_json(run):
    file = export_of(run, {"00": [annotation(region("label", "desk"))]})
    told = json.loads(done("import-decisions", "label-studio", file, "--json").stdout)
    assert (told["new"], told["actions"], told["format"]) == (1, {"relabel": 1}, "label-studio")
    assert "1 already there" in done("import-decisions", "label-studio", file).stdout


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda tasks: "not json", "is no JSON"),
        (lambda tasks: {"a": 1}, "has no tasks"),
        (lambda tasks: [{"id": 7, "data": {"image": "x"}, "annotations": []}], "curate did not write.*task 7"),
        (lambda tasks: [_with(tasks[0], given_label="lamp")], "of another dataset: 1 listing had another label.*00"),
        (lambda tasks: [_with(tasks[0], listing_id="xx"), *tasks], "1 listing that the run does not have: got xx"),
        (lambda tasks: [_answered(tasks[0], "sofa")], "1 label that is no class of the run.*'sofa'.*--new-class sofa"),
    ],
)
def test_bad_exports_are_refused_by_name_and_nothing_is_recorded(run, change, match):
    file = export_of(run, {"00": [annotation(region("label", "desk"))]})
    changed = change(json.loads(file.read_text()))
    file.write_text(changed if isinstance(changed, str) else json.dumps(changed))
    refused = curate("import-decisions", "label-studio", file)
    assert refused.exit_code == 2, refused.exception
    assert re.search(match, refused.stderr), refused.stderr
    assert not (run.folder / "decisions.jsonl").exists()


def _with(task, **data):
    return {**task, "data": {**task["data"], **data}}


def _answered(task, label):
    return {**task, "annotations": [annotation(region("label", label))]}


@pytest.mark.parametrize(
    "annotations",
    [
        3,
        [3, None],
        [{"result": 3, "completed_by": [1]}],
        [{"result": [3, {"from_name": "label", "value": {"choices": {"a": [1]}}}], "updated_at": 5}],
        [annotation({"from_name": ["label"], "value": "desk"}, time="0001-01-01T00:00:00+14:00")],
    ],
)
def test_what_is_no_annotation_decides_nothing(run, annotations):
    file = export_of(run, {"00": annotations})
    assert run.import_decisions("label-studio", file).decisions == 0


def test_unknown_listings_are_left_out_and_named_when_allowed(run):
    file = export_of(run, {"00": [annotation(region("label", "desk"))]})
    (task,) = json.loads(file.read_text())
    file.write_text(json.dumps([task, _with(task, listing_id="xx")]))
    shown = curate("import-decisions", "label-studio", file, "--allow-unknown")
    assert (shown.exit_code, "left out: xx" in shown.stderr) == (0, True)
    assert said(run) == {"00": ("relabel", "desk")}


def test_a_new_class_may_be_named(run):
    file = export_of(run, {"00": [annotation(region("label", "sofa"))]})
    run.import_decisions("label-studio", file, new_classes="sofa")
    assert said(run) == {"00": ("relabel", "sofa")}


def test_the_old_form_of_export_is_told_what_to_type():
    refused = curate("export", "models/shop/1")
    assert refused.exit_code == 2
    assert "curate export onnx models/shop/1" in refused.stderr
    assert "curate export onnx MODEL --output FILE" in curate("export", "--output", "a.onnx", "models/shop/1").stderr
    assert "Did you mean 'label-studio'?" in curate("export", "label-studo").stderr
    assert "label-studio" in main.commands["export"].commands


def test_a_folder_that_holds_something_is_refused(run):
    Path("tasks").mkdir()
    Path("tasks/mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds mine\.txt"):
        run.export("label-studio", "tasks")
    with pytest.raises(InputError, match="no such format"):
        run.export("label-studoi")
    with pytest.raises(InputError, match="`top` has no effect with `all`"):
        run.export("label-studio", "others", top=2, all=True)
