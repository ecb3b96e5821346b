"""Who gets what from a review: each case asked of the real server, in front of a real MongoDB."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from urllib.parse import quote

import pandas as pd
import pytest
from PIL import Image

from curation.review.app.dataset import dataset_name
from curation.review.app.panels import EVALUATION
from curation.review.server.allowed import ALLOWED_OPERATORS, refuse_path
from tests.curation.review.test_review import drop_database, make_run, needs_mongod
from tests.support.review_server import SERVED, Server, start, stop
from tests.support.waiting import PATIENCE
from tests.torture.attacks import attack

pytestmark = needs_mongod
ID = "0" * 24
SAMPLES = 'query Q($view: BSONArray!) { samples(dataset: "NAME", view: $view) { __typename } }'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("secure")
    plugin = folder / "plugins" / "mine"
    (plugin / "dist").mkdir(parents=True)
    (plugin / "fiftyone.yml").write_text("name: '@me/mine'\noperators: []\n")
    (plugin / "__init__.py").write_text("def register(plugin): pass\n")
    (plugin / ".env").write_text("KEY=secret\n")
    (plugin / ".git").mkdir()
    (plugin / ".git" / "hook.js").write_text("secret")
    (plugin / "dist" / "index.umd.js").write_text("mine\n")
    (plugin / "page.html").write_text("<script></script>")
    run = make_run(folder)
    # a stranger made the run, and names a photo of mine
    Image.new("RGB", (8, 6), (1, 2, 3)).save(folder / "mine.jpg")
    for file in (run.issues_file, run.listings_file):
        table = pd.read_parquet(file)
        run.write_table(file, table.assign(image=table["image"].mask(table["id"] == "L12", "../mine.jpg")))
    server = start(run, folder / "log", FIFTYONE_PLUGINS_DIR=str(folder / "plugins"))
    try:
        yield server
    finally:
        stop(server)
        drop_database(SERVED)


@pytest.fixture(scope="module")
def photo(server: Server) -> str:
    """The query of a photo that is given out."""
    return "filepath=" + quote(str(server.run.photo_root / "0.jpg"))


def code_of(server: Server) -> str:
    """The parameter of a new link."""
    return "code=" + server.url.partition("&code=")[2]


class TestWhoMayEnter:
    @pytest.mark.parametrize("cookie", ["", "curate_review=x", "curate_review_{port}=wrong", "curate_review_{port}="])
    @pytest.mark.parametrize(
        "path", ["/", "/media?{photo}", "/fiftyone", "/plugins", "/?code=wrong", "/?code=", "/?code=a&code=b"]
    )
    def test_nobody_without_the_token_reads(self, server, photo, cookie, path):
        path = path.format(photo=photo)
        assert server.ask(path, Cookie=cookie.format(port=server.port))[0] == 401

    @pytest.mark.parametrize(
        "path", ["/graphql", "/operators", "/operators/execute", "/events", "/aggregate", "/event"]
    )
    def test_nobody_without_the_token_acts_or_listens(self, server, path):
        assert server.post(path, {}, Cookie="")[0] == 401
        assert server.post(f"{path}?{code_of(server)}", {}, Cookie="")[0] == 401

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:5151", "127.0.0.1.evil.example", "192.0.2.1", "localhost.", "[::2]:5151"]
    )
    def test_another_host_name_is_refused_even_with_the_token(self, server, host):
        assert server.ask("/", Host=host)[0] == 403
        assert server.ask(f"/?{code_of(server)}", Host=host)[0] == 403

    def test_the_page_works_through_a_tunnel_with_another_port(self, server):
        assert server.ask("/", Host="localhost:8080", Origin="http://localhost:8080")[0] == 200

    @pytest.mark.parametrize(
        "origin",
        ["http://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:1", "https://127.0.0.1:{port}", ""],
    )
    def test_another_page_can_not_act(self, server, origin):
        # "" can't be sent as a header by `ask`; a lone blank can
        origin = origin.format(port=server.port) or " "
        for path in ("/operators/execute", "/graphql", "/events", "/tag"):
            assert server.post(path, {"operator_uri": "@curate/review/undo"}, Origin=origin)[0] == 403
        assert server.ask(f"/?{code_of(server)}", Origin=origin)[0] == 403

    def test_no_web_socket_is_opened_even_with_the_token(self, server):
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        for cookie in ({}, {"Cookie": ""}):
            for path in ("/events", "/graphql"):
                request = {**upgrade, **cookie, "Sec-WebSocket-Key": "c2l4dGVlbiBieXRlcyE="}
                assert server.ask(path, **request)[0] == 403

    def test_the_newer_http_is_no_way_around(self, server):
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade, HTTP2-Settings\r\n")
            plain.sendall(b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
            answer = plain.recv(4096)
            while b"Unknown host." not in answer:
                more = plain.recv(4096)
                assert more, answer
                answer += more
        assert b"<!doctype html>" not in answer.lower()


class TestFiles:
    def test_photos_of_the_run_are_shown(self, server, photo):
        assert server.ask(f"/media?{photo}")[0] == 200
        assert server.ask(f"/media/?{photo}")[0] in (200, 307)

    def test_no_other_file_is_given_out(self, server):
        photos = server.run.photo_root
        secret = photos.parent / "secret.jpg"
        shutil.copy(photos / "0.jpg", secret)
        (photos / "link.jpg").symlink_to(secret)
        (photos / "notes.txt").write_text("not a photo")
        (photos / "sub").mkdir()
        refused = [
            "/etc/passwd",
            "etc/passwd",
            "",
            "file:///etc/passwd",
            str(server.run.folder),
            secret,
            photos,
            photos / ".." / "secret.jpg",
            photos / "sub" / ".." / ".." / "secret.jpg",
            photos / "link.jpg",
            photos / "notes.txt",
            photos / "0.JPG",
            f"{photos}/0.jpg/../../secret.jpg",
            f"{photos}\\..\\secret.jpg",
            f"{photos}/0.jpg\0",
            f"{photos}/%2e%2e/secret.jpg",
            f"{photos}/%252e%252e/secret.jpg",
            server.run.journal,
        ]
        assert {str(path): server.photo(path) for path in refused} == {str(path): 403 for path in refused}

    def test_a_photo_replaced_by_a_link_is_no_longer_given_out(self, server):
        photo, moved = server.run.photo_root / "9.jpg", server.run.photo_root / "moved.jpg"
        assert server.photo(photo) == 200
        photo.rename(moved)
        photo.symlink_to("/etc/passwd")
        try:
            assert server.photo(photo) == 403
        finally:
            photo.unlink()
            moved.rename(photo)

    def test_a_photo_that_a_stranger_s_run_names_outside_its_folder_is_not_given_out(self, server):
        mine = server.run.photo_root.parent / "mine.jpg"
        assert [server.photo(path) for path in (mine, server.run.photo_root / "../mine.jpg")] == [403, 403]
        assert "1 photo lies, or leads as a link, outside the photo folder and is not shown" in server.log.read_text()

    def test_another_run_s_photos_are_not_given_out(self, server, tmp_path):
        other = make_run(tmp_path)
        assert server.photo(other.photo_root / "0.jpg") == 403

    def test_a_second_path_does_not_slip_through(self, server, photo):
        for query in (
            f"{photo}&filepath=/etc/passwd",
            f"filepath=/etc/passwd&{photo}",
            f"{photo}&file%70ath=/etc/passwd",
        ):
            for path in ("/media", "/media/", "/%6dedia"):
                assert server.ask(f"{path}?{query}")[0] == 403

    @pytest.mark.parametrize(
        "path",
        [
            "//media",
            "///media",
            "/MEDIA",
            "/Media",
            "/%6dedia",
            "/%256dedia",
            "/media/",
            "/media//",
            "/media/x",
            "/./media",
            "/datasets/../media",
            "/datasets/%2e%2e/media",
            "/datasets/%252e%252e/media",
            "/datasets/..%2fmedia",
            "/datasets/..\\media",
            "/media\\",
            "/media%00",
            "/media%0a",
            "/media;x",
        ],
    )
    def test_another_spelling_of_media_gives_out_nothing(self, server, path):
        status, content = server.ask(f"{path}?filepath=/etc/passwd")
        assert status in (307, 400, 403, 404)
        assert b"root:" not in content

    def test_other_methods_are_no_way_around(self, server, photo):
        assert server.ask("/media?filepath=/etc/passwd", method="HEAD")[0] == 403
        for method in ("OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
            assert server.ask(f"/media?{photo}", method=method)[0] in (400, 403, 405)
        assert server.ask(f"/media?{photo}", method="HEAD", Cookie="")[0] == 401

    def test_a_part_of_a_photo_can_be_asked_for_and_a_part_of_another_file_not(self, server, photo):
        status, content = server.ask(f"/media?{photo}", Range="bytes=0-3")
        assert (status, len(content)) == (206, 4)
        assert server.ask("/media?filepath=/etc/passwd", Range="bytes=0-3")[0] == 403

    @pytest.mark.parametrize("path", ["__init__.py", "fiftyone.yml", ".env", ".git/hook.js", "page.html", "", "dist"])
    def test_of_a_plugin_only_what_a_page_needs_is_given_out(self, server, path):
        assert server.ask("/plugins/mine/dist/index.umd.js") == (200, b"mine\n")
        assert server.ask(f"/plugins/mine/{path}")[0] == 403
        assert server.ask("/plugins/curate-review/__init__.py")[0] == 403

    def test_every_answer_is_kept_from_other_pages(self, server, photo):
        paths = ("/", "/fiftyone", f"/media?{photo}", "/media?filepath=/etc/passwd", "/plugins/mine/dist/index.umd.js")
        for path in (*paths, "/assets/none.js", f"/?{code_of(server)}"):
            _, headers, _ = server.answer(path)
            assert headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert (
                "default-src 'self'" in headers["content-security-policy"]
                or "sandbox" in headers["content-security-policy"]
            )
            assert "server" not in headers
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-resource-policy"] == "same-origin"

    def test_a_photo_opened_by_itself_runs_no_script(self, server, photo):
        assert server.answer(f"/media?{photo}")[1]["content-security-policy"].startswith("sandbox; default-src 'none'")

    @pytest.mark.parametrize(
        "path", ["//evil.example", "/\\evil.example", "/%5cevil.example", "/%0d%0aX:%20y", '/"><b>']
    )
    def test_entering_never_leads_to_another_host(self, server, path):
        _, headers, page = server.answer(f"{path}?{code_of(server)}&x=%22%3E%3Cb%3E", Cookie="")
        (place,) = set(re.findall(r'(?:url=|href=")([^"]*)"', page.decode()))
        assert place.startswith("/")
        assert not place.startswith(("//", "/\\"))
        assert "x" not in headers
        assert b"<b>" not in page


class TestRoutesAndOperators:
    def test_every_route_of_fiftyone_was_thought_about(self):
        """A route that a new FiftyOne adds is refused until it is named in allowed.py, and then here."""
        from tests.curation.review.test_review import our_fiftyone

        our_fiftyone()
        from fiftyone.server.app import app

        allowed = {
            route.path
            for route in app.routes
            for method in ("GET", "POST", "PATCH", "DELETE", "PUT")
            if not refuse_path(method, route.path.replace("{dataset_id}", ID).replace("{sample_id}", ID) or "/")
        }
        assert {path for path in allowed if not path.startswith(("/embeddings/", "/operators", "/ontologies"))} == {
            "",
            "/aggregate",
            "/dataset/{dataset_id}/sample/{sample_id}",
            "/events",
            "/features",
            "/fiftyone",
            "/geo",
            "/graphql",
            "/media",
            "/plugins",
            "/sort",
            "/tag",
            "/tagging",
            "/values",
        }

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/event"),
            ("POST", "/frames"),
            ("POST", "/get-similar-labels-frames"),
            ("POST", "/video-labels/index"),
            ("POST", "/video-labels/window"),
            ("GET", "/screenshot/x.html?proxy=/"),
            ("GET", "/runtime-assets/models/sam2/x"),
            ("GET", f"/dataset/{ID}/tags"),
            ("GET", f"/dataset/{ID}/groups/{ID}"),
            ("POST", f"/dataset/{ID}/sample/{ID}/tags"),
            ("DELETE", f"/dataset/{ID}/sample/{ID}/tags"),
            ("POST", f"/dataset/{ID}/sample/{ID}/commit-mask"),
            ("PATCH", f"/dataset/{ID}/sample/{ID}/ground_truth/{ID}"),
            ("DELETE", f"/dataset/{ID}/sample/{ID}"),
            ("GET", "/graphql?query={version}"),
            ("OPTIONS", "/operators/execute"),
        ],
    )
    def test_what_no_review_needs_is_refused(self, server, method, path):
        assert server.ask(path, method=method, body="{}")[0] == 403

    def test_of_fiftyone_s_own_operators_only_the_allowed_run(self, server):
        content = server.post("/operators", {"dataset_name": dataset_name(server.run)})[1]
        built_in = {item["uri"] for item in json.loads(content)["operators"] if item["uri"].startswith("@voxel51/")}
        assert len(built_in) > 50
        assert built_in > ALLOWED_OPERATORS
        for operator in sorted(built_in - ALLOWED_OPERATORS):
            for path in ("execute", "execute/generator", "resolve-type", "resolve-execution-options"):
                assert server.post(f"/operators/{path}", {"operator_uri": operator})[0] == 403
        for name in ("list_files", "download_file", "delete_selected_samples", "edit_field_values", "delete_brain_run"):
            assert f"@voxel51/operators/{name}" in built_in - ALLOWED_OPERATORS
            assert server.operate(f"@voxel51/operators/{name}#x")[0] == 403

    @pytest.mark.parametrize("body", ["", "[]", "1", '{"operator_uri": 1}', "not json", "[" * 5000, "\0"])
    def test_a_body_that_can_not_be_checked_goes_no_further(self, server, body):
        assert server.ask("/operators/execute", method="POST", body=body or "[]")[0] == 400

    @pytest.mark.parametrize(
        ("operator", "given"),
        [("note", {"note": 5}), ("relabel", {"label": ["x"]}), ("set_price", {"price": {"a": 1}})],
    )
    def test_a_parameter_of_another_type_is_refused_in_one_sentence(self, server, operator, given):
        (name,) = given
        status, content = server.operate(f"@curate/review/{operator}", [ID], **given)
        assert status == 400
        assert content.decode().startswith(f"{name} must be a text, got ")

    @pytest.mark.parametrize("path", ["execute", "execute/generator", "resolve-type", "resolve-execution-options"])
    def test_no_parameters_at_all_are_refused_and_no_failure(self, server, path):
        asked = {"operator_uri": "@curate/review/note", "dataset_name": dataset_name(server.run), "params": None}
        assert server.post(f"/operators/{path}", asked) == (400, b"params must be an object, got nothing.")

    def test_an_allowed_operator_runs(self, server):
        assert server.operate("@voxel51/operators/get_label_schemas")[0] == 200

    def test_a_class_named_in_a_request_is_not_called(self, server, tmp_path):
        ran = tmp_path / "ran"
        stage = {"_cls": "subprocess.Popen", "kwargs": [["args", ["touch", str(ran)]]]}
        raw = {"_cls": "fiftyone.core.stages.Mongo", "kwargs": [["pipeline", [{"$out": "other"}]]]}
        name = dataset_name(server.run)
        query = SAMPLES.replace("NAME", name)
        for bad in (stage, raw, json.dumps(stage)):
            assert server.post("/aggregate", {"dataset": name, "view": [bad], "aggregations": []})[0] == 403
            assert server.post("/values", {"dataset": name, "path": "id", "view": [bad]})[0] == 403
            assert server.post("/graphql", {"query": query, "variables": {"view": [bad]}})[0] == 403
            request = {"operator_uri": "@curate/review/keep", "dataset_name": name, "view": [bad]}
            assert server.post("/operators/execute", request)[0] == 403
        inline = query.replace("($view: BSONArray!)", "").replace("$view", '[{_cls: "subprocess.Popen", kwargs: []}]')
        assert server.post("/graphql", {"query": inline})[0] == 403
        state = {"_CLS": "fiftyone.core.state.StateDescription", "dataset": name, "view": []}
        assert server.post("/events", {"initializer": state, "events": [], "subscription": "x"})[0] == 403
        assert not ran.exists()

    def test_python_sent_to_the_model_evaluation_panel_is_not_run(self, server, tmp_path):
        ran = tmp_path / "ran"
        code = f"open({str(ran)!r}, 'w').close(); subsets = {{'all': {{}}}}"
        subset = {"type": "custom_code", "code": code, "subset": "all"}
        panel = "@voxel51/panels/model_evaluation_panel_builtin"
        request = {"type": "subset", "options": {"key": EVALUATION, "subset_def": subset}}
        request |= {"panel_id": "x", "panel_state": {}, "__method__": "load_view"}
        assert server.operate(panel, **request)[0] == 403
        request["options"]["subset_def"] = {"type": "field", "field": "tags", "value": "train"}
        assert server.operate(panel, **request)[0] == 200
        scenario = {"scenario_type": "attribute", "scenario_subsets_code": code}
        for operator in ("model_evaluation_configure_scenario", "mes_plot_resolver"):
            assert server.operate(f"@voxel51/operators/{operator}", **scenario)[0] == 403
        assert not ran.exists()

    def test_the_views_of_the_app_pass(self, server):
        name = dataset_name(server.run)
        query = SAMPLES.replace("NAME", name)
        stage = {"_cls": "fiftyone.core.stages.Limit", "kwargs": [["limit", 1]]}
        status, content = server.post("/graphql", {"query": query, "variables": {"view": [stage]}})
        assert status == 200
        assert json.loads(content)["data"] == {"samples": {"__typename": "SampleItemStrConnection"}}

    def test_views_that_all_reviewers_use_can_not_be_removed(self, server):
        name = dataset_name(server.run)
        call = f'deleteSavedView(subscription: "x", viewName: "To review", datasetName: {json.dumps(name)})'
        for query in (
            f"mutation {{ {call} }}",
            f"mutation {{ a: {call} }}",
            f"mutation {{ ...f }} fragment f on Mutation {{ {call} }}",
        ):
            assert server.post("/graphql", {"query": query})[0] == 403

    def test_only_the_label_of_a_sample_can_be_edited(self, server):
        for path in ("/filepath", "/listing_id", "/ground_truthx", "", "/decision", "/tags/0"):
            step = [{"op": "replace", "path": path, "value": "x"}]
            sample = f"/dataset/{ID}/sample/{ID}"
            assert server.ask(sample, method="PATCH", body=json.dumps(step))[0] == 403
        for step in ({"op": "move", "path": "/ground_truth", "from": "/filepath"}, {"filepath": "/etc/passwd"}):
            assert server.ask(sample, method="PATCH", body=json.dumps([step]))[0] in (400, 403)
        assert server.ask(sample, method="PATCH", body=json.dumps({"filepath": "/etc/passwd"}))[0] == 403
        # the right one is only for the run of this review; test_review_app.py has one that is recorded
        step = [{"op": "replace", "path": "/ground_truth/label", "value": "desk"}]
        status, content = server.ask(sample, method="PATCH", body=json.dumps(step))
        assert (status, content) == (403, b"Another dataset than that of this review.")


class TestAttacks:
    """More of them, and other ones: ``make torture ARGS="attacks --seed 1"``."""

    def test_a_hundred_drawn_attacks_get_nothing_and_break_nothing(self, server):
        tally = attack(server, count=100, seed=0, jobs=4)
        assert tally.tried > 100
        assert tally.faults == []

    def test_what_fails_in_fiftyone_is_a_sentence_here_and_a_traceback_in_the_log(self, server):
        status, content = server.post("/values", {"dataset": "none"})
        assert status == 500
        found = re.search(r"The run's review\.log says why, at ([0-9a-f]{8})\.", content.decode())
        assert found
        assert b"Traceback" not in content
        log = (server.run.folder / "review.log").read_text()
        assert f"{found[1]}: POST /values" in log
        assert "Traceback (most recent call last)" in log
        assert "Traceback" not in server.log.read_text()

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_a_page_of_another_port_gets_no_picture_and_may_open_the_review(self, server, photo, site):
        asked = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}
        assert server.ask(f"/media?{photo}", **asked)[0] == 403
        asked |= {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
        assert server.ask(f"/?{code_of(server)}", Cookie="", **asked)[0] == 200
