"""What we use of FiftyOne that it does not promise. Whoever raises its pin in setup.cfg and meets a failure here:
the message says what moved, and which of our modules to look at."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.review.server.allowed import ALLOWED_OPERATORS
from tests.curation.review.test_review import DATABASE, drop_database, needs_mongod, our_fiftyone
from tests.support.review_server import ROOT

pytestmark = needs_mongod


@pytest.fixture(scope="module")
def fiftyone() -> Iterator[Any]:
    yield our_fiftyone()
    drop_database(DATABASE)


@pytest.fixture(scope="module")
def package(fiftyone: Any) -> Path:
    return Path(fiftyone.__file__).parent


def test_the_pin_allows_one_minor_version():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert "fiftyone>=1.22,<1.23" in setup["options"]["install_requires"], (
        "the pin of FiftyOne moved: run all tests/test_review*.py, read the new routes and operators, see allowed.py"
    )


@pytest.mark.usefixtures("fiftyone")
class TestServer:
    def test_it_is_an_app_with_the_routes_that_are_guarded(self):
        from fiftyone.server.app import app

        paths = {route.path for route in app.routes}
        routes = {
            "/media",
            "/operators",
            "/operators/execute",
            "/operators/resolve-type",
            "/graphql",
            "/events",
            "/plugins",
        }
        assert routes <= paths, f"routes moved, see curation/review/server/allowed.py and guard.py: {routes - paths}"

    def test_the_media_route_takes_its_file_from_filepath(self):
        import inspect

        from fiftyone.server.routes.media import Media

        source = inspect.getsource(Media)
        assert 'query_params.get("filepath")' in source, "guard.py checks `filepath`; /media reads something else now"
        assert source.count("query_params") == 1, "/media reads a second parameter; guard.py must check it too"

    def test_it_can_be_told_its_port_and_its_patience(self):
        from fiftyone.core.odm import database
        from fiftyone.server import events

        assert callable(events.set_port), "fiftyone.server.events.set_port moved, see application.py"
        assert isinstance(database._connection_kwargs, dict), "the settings of its connection moved, see application.py"
        assert callable(database._delete_non_persistent_datasets_if_allowed), "its cleanup moved, see application.py"

    def test_stages_are_still_made_from_the_class_a_request_names(self):
        import inspect

        from fiftyone.core.stages import ViewStage

        assert 'd["_cls"]' in inspect.getsource(ViewStage._from_dict), "stages are named otherwise, see allowed.py"

    def test_the_operators_of_the_app_have_their_names(self):
        import fiftyone.operators as operators

        operators_there = {operator.uri for operator in operators.list_operators()}
        assert operators_there >= ALLOWED_OPERATORS, (
            f"operators moved, see allowed.py: {ALLOWED_OPERATORS - operators_there}"
        )

    def test_buttons_have_their_places(self):
        import fiftyone.operators.types as types

        for place in ("SAMPLES_GRID_SECONDARY_ACTIONS", "SAMPLES_VIEWER_ACTIONS"):
            assert hasattr(types.Places, place), f"{place} moved, see curation/review/app/plugin"


def test_its_mongod_is_found_and_it_takes_the_address_of_ours(package):
    import inspect

    import fiftyone as fo
    from fiftyone.core.odm import database
    from fiftyone.core.service import DatabaseService

    assert DatabaseService.find_mongod() == str(package / "db" / "bin" / "mongod"), "mongod moved, see check.py"
    assert "config.database_uri is not None" in inspect.getsource(database.establish_db_conn), "see environment.py"
    fo.list_datasets()
    assert fo.core.odm.get_db_conn().client.address[0].endswith("mongod.sock")
    assert database._db_service is None, "FiftyOne has started, or joined, a mongod of its own"


def test_the_page_has_what_our_keys_call(package):
    scripts = [path.read_text(errors="replace") for path in (package / "server" / "static" / "assets").glob("*.js")]
    assert any("window.__foo__" in text or re.search(r"\b__foo__\b", text) for text in scripts), (
        "the App no longer has window.__foo__, which plugin/page/keys.js calls for every key"
    )
    for name in ("operators-prompt-modal", "operators-browser", "annotate-edit-back"):
        assert any(name in text for text in scripts), (
            f"[data-cy={name}] is gone: keys would act while one types, see plugin"
        )
    for name in ("modalSelector:", "nullableModalSampleId:", "canvas-loaded", "modal-looker-container", "dataset-page"):
        assert any(name in text for text in scripts), f"{name} is gone, by which plugin/page/opened.js goes ahead"


def test_a_view_has_its_name_in_addresses():
    from curation.review.app.look import slug

    assert slug("To review") == "to-review"
