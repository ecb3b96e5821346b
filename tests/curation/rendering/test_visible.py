"""What strangers wrote neither steers a terminal nor hides in a page."""

import ast
import json
import unicodedata
from pathlib import Path

import pytest

from curation.rendering.html import fill_page
from curation.rendering.markdown import escaped
from curation.rendering.visible import as_json, visible

#: Clears the screen, sets the window's title, forges a line, turns the direction, hides.
HOSTILE = (
    "L1\x1b[2J\x1b]0;t\x07\x9b31m\r\nError: no\x85\u2028\u2029\u202egpj\u2066\u200b\u2060\ufeff\u00ad\U000e0041\ud800"
)


def test_every_character_without_a_shape_becomes_an_escape():
    shown = visible(HOSTILE)
    assert shown.isprintable()
    assert shown.startswith("L1\\x1b[2J\\x1b]0;t\\x07\\x9b31m\\r\\nError: no\\x85\\u2028")
    for code in range(0x110000):
        if unicodedata.category(sign := chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            assert visible(f"a{sign}b").isprintable(), hex(code)


@pytest.mark.parametrize(
    "text", ["lamp, 20 €", "東京 タワー", "👨‍👩‍👧 family", "🏳️‍🌈", "می‌خواهم", "क्‍ष", "e\u0301", "a\\b", "10\xa0%"]
)
def test_what_people_write_stays_as_it_is(text):
    assert visible(text) == text


@pytest.mark.parametrize("text", ["a\u200db", "a\u200c", "\u200d", "می\u200d", "👨\u200da", "\u3164", "a\u2800"])
def test_a_joiner_or_a_blank_where_none_belongs_is_seen(text):
    assert visible(text) != text
    assert visible(text).isprintable()


def test_json_for_people_and_programs_has_no_raw_control_characters_and_is_exact():
    value = {HOSTILE: [HOSTILE, 1, None, {"é": "東京"}]}
    text = as_json(value)
    assert json.loads(text) == value
    assert all(line.isprintable() for line in text.split("\n"))
    assert "東京" in text


def test_markdown_and_pages_show_it_too():
    assert escaped(HOSTILE).isprintable()
    assert escaped("&lt;b&gt; $x$") == r"\&lt;b\&gt; \$x\$"
    page = fill_page("rendering/result.html.jinja", name=HOSTILE, facts=[("two\nlines", HOSTILE)], tables=[])
    assert all(line.isprintable() for line in page.split("\n"))
    assert "two\nlines" in page


def test_the_command_line_prints_in_one_place_only():
    folder = Path(__file__).parents[3] / "curation"
    out = {}
    for path in folder.rglob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {ast.unparse(call) for call in calls}
        out[path.name] = names & {
            "print",
            "click.echo",
            "click.secho",
            "sys.stdout.write",
            "sys.stderr.write",
            "Console",
        }
    assert {name: calls for name, calls in out.items() if calls} == {"terminal.py": {"click.echo", "Console"}}


def test_no_text_of_the_command_line_holds_a_line_end_that_would_be_shown_as_an_escape():
    modules = sorted((Path(__file__).parents[3] / "curation" / "cli").glob("*.py"))
    printing = {"echo", "print_table", "say"}
    calls = [node for path in modules for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    texts = [
        text.value
        for call in calls
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in printing
        for argument in call.args[:1]
        for text in ast.walk(argument)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    ]
    assert len(texts) > 20
    assert [text for text in texts if "\n" in text] == []
