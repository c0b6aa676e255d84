"""What a child says about its outputs is believed in nothing, and still shown as it should be."""

import base64
import json
import sys

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from coursekit.marking import output_limits
from coursekit.marking.outputs import CUT, LEFT_OUT, Caps, Room, build, size

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(40)).decode()


def stream(text, name="stdout"):
    return {"output": {"output_type": "stream", "name": name, "text": text}}


def display(data, display_id=None, **rest):
    event = {"output": {"output_type": "display_data", "data": data, "metadata": {}, **rest}}
    return event if display_id is None else {**event, "display_id": display_id}


def update(data, display_id):
    return {"update": {"output_type": "display_data", "data": data, "metadata": {}}, "display_id": display_id}


def valid(outputs):
    """The outputs, after proof that a notebook can hold them and a file the notebook."""
    nb = new_notebook(cells=[new_code_cell("x", outputs=outputs, id="cell")])
    nbformat.validate(nb)
    text = json.dumps(nb, allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")
    assert nbformat.reads(text, as_version=4) == nb
    return outputs


def plain(outputs):
    return [output.get("text") or output.data["text/plain"] for output in outputs]


def test_pieces_of_a_stream_stand_at_the_place_of_the_first():
    """Two gradings give the same notebook, however the text came in pieces."""
    pieces = [stream("a"), display({"text/plain": "x"}), stream("b"), stream("e", "stderr"), stream("c\n")]
    assert plain(valid(build(pieces))) == ["abc\n", "x", "e"]


def test_standard_output_comes_first_where_both_streams_wait():
    """ipykernel shows them so, in whatever order the cell wrote them."""
    assert plain(build([stream("e", "stderr"), stream("o")])) == ["o", "e"]
    assert plain(build([stream("e", "stderr"), {"flush": "stderr"}, stream("o")])) == ["e", "o"]
    assert plain(build([stream("e", "stderr"), display({"text/plain": "x"}), stream("o")])) == ["e", "x", "o"]


def test_clearing_takes_away_what_was_there():
    """At once, or when the next output comes: until then the old one stays."""
    clear, wait = {"clear": {"wait": False}}, {"clear": {"wait": True}}
    assert plain(build([stream("a"), clear, stream("b")])) == ["b"]
    assert plain(build([stream("a"), wait, stream("b")])) == ["b"]
    assert plain(build([stream("a"), wait])) == ["a"]
    assert build([stream("a"), clear]) == []


def test_updates_reach_the_displays_of_their_id_in_earlier_cells_too():
    """A progress display in one cell may be finished by another."""
    displays = {}
    (first,) = build([display({"text/plain": "old"}, "a")], displays=displays)
    second, other = build(
        [
            display({"text/plain": "older"}, "a"),
            display({"text/plain": "other"}, "b"),
            update({"text/plain": "new"}, "a"),
        ],
        displays=displays,
    )
    assert plain([first, second, other]) == ["new", "new", "other"]
    assert build([update({"text/plain": "x"}, "unknown")], displays=displays) == []
    build([update({"image/png": PNG, "text/plain": "p"}, "b")], displays=displays)
    assert valid([other])[0].data == {"image/png": PNG, "text/plain": "p"}


def test_an_update_counts_once_for_every_display_that_it_reaches():
    """A display with an id is no larger than one without; but a hundred copies of an update are."""
    caps, displays = Caps(cell_chars=1000), {}
    assert plain(build([display({"text/plain": "x" * 600}, "a")], caps, displays)) == ["x" * 600]
    build([display({"text/plain": "x"}, "a")] * 100, Caps(), displays)
    assert plain(build([update({"text/plain": "y" * 400}, "a")], caps, displays)) == [f"[{CUT}]"]
    assert sum(output.data["text/plain"] == "y" * 400 for output in displays["a"]) == 2


def test_results_and_errors_keep_what_belongs_to_them():
    """Numbers, names, tracebacks."""
    result = {"output_type": "execute_result", "data": {"text/plain": "2"}, "metadata": {}, "execution_count": 3}
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mE\x1b[0m", "v"]}
    assert valid(build([{"output": result}, {"output": error}])) == [result, error]


def test_figures_keep_their_presentation_and_nothing_else():
    """Sizes, the text in place of the image and the background are kept; other metadata is nobody's business."""
    metadata = {"image/png": {"width": 30, "height": 2.5, "alt": "a line", "onload": "x"}, "needs_background": "light"}
    (output,) = valid(build([display({"image/png": PNG, "text/plain": "f"}, metadata={**metadata, "nbgrader": {}})]))
    assert output.metadata == {
        "image/png": {"width": 30, "height": 2.5, "alt": "a line"},
        "needs_background": "light",
    }
    bad = {"width": True, "height": 10**400, "needs_background": "x", "isolated": 1, "alt": ["a"], "image/png": "text"}
    (output,) = valid(build([display({"image/png": PNG}, metadata=bad)]))
    assert output.metadata == {}


@pytest.mark.parametrize(
    ("mime", "image"), [("image/png", PNG), ("image/jpeg", JPEG), ("image/png", PNG[:40] + "\n" + PNG[40:])]
)
def test_images_pass(mime, image):
    """As base64, in one line or several."""
    assert valid(build([display({mime: image})]))[0].data == {mime: image}


@pytest.mark.parametrize(
    ("mime", "value"),
    [
        ("image/png", JPEG),
        ("image/jpeg", PNG),
        ("image/png", "<script>"),
        ("image/png", PNG + "ä"),
        ("image/png", PNG[:-1]),
        ("image/png", {"a": 1}),
        ("application/javascript", "alert(1)"),
        ("text/x-python", "x"),
        ("TEXT/HTML", "<b>"),
        ("text/html; charset=utf-8", "<b>"),
        ("application/vnd.jupyter.widget-view+json", {"x": float("nan")}),
        ("application/json", {"big": 10**4000}),
        ("application/json", {"\ud800": 1}),
        ("\x1b]0;title\x07" * 100, "x"),
        ("", "x"),
    ],
)
def test_what_is_not_what_it_says_is_left_out_and_that_is_told(mime, value):
    """In place of the part stands a note; the text beside it stays."""
    (alone,) = valid(build([display({mime: value})]))
    (beside,) = valid(build([display({mime: value, "text/plain": "text"})]))
    assert set(alone.data) == set(beside.data) == {"text/plain"}
    assert alone.data["text/plain"].startswith("[left out by the grader: ")
    assert beside.data["text/plain"].startswith("text\n[left out by the grader: ")
    assert len(beside.data["text/plain"]) < 300
    assert "\x1b" not in beside.data["text/plain"]


def test_json_passes_as_it_is():
    """Structured data are what some displays are made of."""
    value = {"a": [1, 2.5, None, True, {"b": "c"}]}
    assert valid(build([display({"application/vnd.x.v1+json": value})]))[0].data["application/vnd.x.v1+json"] == value


def test_too_much_text_is_cut_and_that_is_told():
    """In a stream, in a result, in the message of an error."""
    caps = Caps(stream_chars=100, text_chars=100)
    error = {"output_type": "error", "ename": "E", "evalue": "v" * 101, "traceback": ["t"]}
    outputs = valid(
        build([stream("s" * 60), stream("s" * 60), display({"text/plain": "d" * 101}), {"output": error}], caps)
    )
    assert outputs[0].text == "s" * 100 + f"\n[{CUT}]\n"
    assert outputs[1].data["text/plain"] == "d" * 100 + f"\n[{CUT}]\n"
    assert outputs[2].evalue == "v" * 100 + f"\n[{CUT}]\n"


def test_a_long_traceback_keeps_both_ends():
    """The cell's line stands at one end, the message at the other."""
    lines = [f"line {i}" for i in range(3000)]
    error = {"output_type": "error", "ename": "RecursionError", "evalue": "", "traceback": lines}
    (output,) = valid(build([{"output": error}]))
    assert (output.traceback[0], output.traceback[-1]) == ("line 0", "line 2999")
    assert f"[{CUT}]" in output.traceback
    assert len(output.traceback) <= 101


@pytest.mark.parametrize(
    "events",
    [
        [display({"text/plain": "x" * 900})] * 20,
        [display({"image/png": PNG * 1000})] * 20,
        [display({"text/plain": ""})] * 1000,
        [
            event
            for i in range(300)
            for event in (display({"text/plain": "x"}, str(i)), update({"text/plain": "y" * 900}, str(i)))
        ],
    ],
)
def test_a_cell_shows_only_so_much(events):
    """One cell cannot fill the disk, by many outputs no more than by large ones."""
    outputs = valid(build(events, Caps(cell_chars=10_000, outputs=50)))
    assert size(list(outputs)) < 20_000
    assert len(outputs) <= 51
    assert outputs[-1].data["text/plain"] in (f"[{CUT}]", f"[{LEFT_OUT}: image/png does not fit in]")


def test_what_was_dropped_before_is_told():
    """The reader of the channel counts the events that it did not keep."""
    assert plain(build([stream("a")], dropped=3)) == ["a", f"[{CUT}]"]


def test_deep_and_odd_things_do_no_harm():
    """As deep as a parser lets through; and what is no event at all."""
    deep = json.loads("[" * 900 + "]" * 900)
    events = [
        None, 1, "x", [], {}, deep, {"output": None}, {"output": deep}, {"output": {}},
        {"output": {"output_type": deep}},
        {"output": {"output_type": "stream", "name": "stdin", "text": "x"}},
        {"output": {"output_type": "stream", "name": deep, "text": "x"}},
        stream(deep), stream(None), stream({"a": 1}), stream(["a", "b", 3]),
        display(deep), display({"text/plain": deep, "application/json": deep, "text/html": deep}), display({}, deep),
        display({"text/plain": "x"}, metadata=deep), {"update": deep, "display_id": "a"},
        {"clear": deep}, {"flush": deep},
        {"output": {"output_type": "error", "ename": deep, "evalue": deep, "traceback": deep}},
        {"output": {"output_type": "execute_result", "data": {"text/plain": "r"}, "execution_count": True}},
        {"output": {"output_type": "pyout", "text": "x"}},
    ]  # fmt: skip
    outputs = valid(build(events))
    assert {output.output_type for output in outputs} == {"stream", "display_data", "error", "execute_result"}


def test_text_that_no_file_can_hold_is_replaced():
    """Lone surrogates, wherever text may stand."""
    bad = "a\ud800b\udfff"
    error = {"output_type": "error", "ename": bad, "evalue": bad, "traceback": [bad]}
    events = [stream(bad), display({"text/plain": bad, "text/html": bad, bad: bad}, bad), {"output": error}]
    outputs = valid(build(events))
    assert outputs[0].text == "a\ufffdb\ufffd"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["\ud800", PNG]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
MIMES = st.sampled_from(
    ["text/plain", "text/html", "image/png", "image/svg+xml", "application/json", "application/x", "\udfff"]
)
METADATA = st.sampled_from(["width", "height", "alt", "isolated", "needs_background", "image/png", "x"])
OUTPUT = st.fixed_dictionaries(
    {},
    optional={
        "output_type": st.sampled_from(["stream", "display_data", "execute_result", "error"]) | JSON,
        "name": st.sampled_from(["stdout", "stderr"]) | JSON,
        "text": JSON,
        "data": st.dictionaries(MIMES, JSON, max_size=4) | JSON,
        "metadata": st.dictionaries(METADATA, JSON, max_size=4) | JSON,
        "execution_count": JSON,
        "ename": JSON,
        "evalue": JSON,
        "traceback": JSON,
    },
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "output": OUTPUT | JSON,
        "update": OUTPUT | JSON,
        "display_id": st.sampled_from("ab") | JSON,
        "clear": st.fixed_dictionaries({"wait": st.booleans()}) | JSON,
        "flush": st.sampled_from(["stdout", "stderr"]) | JSON,
    },
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(EVENT, max_size=6), max_size=3), st.integers(0, 2000))
def test_whatever_is_said_the_notebook_is_valid_and_bounded(cells, chars):
    """The outside cannot be broken by any event, in any order."""
    caps = Caps(stream_chars=chars, text_chars=chars, rich_chars=chars, cell_chars=2 * chars, outputs=5)
    displays = {}
    built = [build(events, caps, displays) for events in cells]
    for outputs in built:
        valid(outputs)
        assert len(outputs) <= 6


def test_all_cells_share_the_room_of_the_notebook():
    """What an update puts in the place of an earlier display counts as well."""
    room, displays = Room(2000), {}
    build([display({"text/plain": "x" * 600}, "a")], Caps(), displays, room=room)
    build([update({"text/plain": "y" * 600}, "a")], Caps(), displays, room=room)
    assert 0 < room.chars < 800
    assert plain(build([display({"text/plain": "z" * 900})], Caps(), displays, room=room)) == [f"[{CUT}]"]


def test_the_work_grows_with_the_size_of_what_is_said_and_no_faster():
    """A million tiny pieces of a stream are put together at once."""
    pieces = [stream("x")] * 300_000
    (output,) = build(pieces, Caps(stream_chars=sys.maxsize))
    assert len(output.text) == 300_000


@pytest.mark.parametrize(
    ("mime", "piece"),
    [
        ("text/html", "<b>x</b>"),
        ("text/html", "</p><p a='<i>'>"),
        ("text/html", "<!--<style>--><tr><td>"),
        ("text/html", "<div><br><table>"),
        ("image/svg+xml", "<g><path/></g>"),
        ("text/markdown", "[**"),
        ("text/markdown", "a "),
        ("text/latex", "$}'$"),
        ("application/json", None),
    ],
)
def test_whoever_reads_the_notebook_has_bounded_markup_to_parse(mime, piece):
    """Sixty outputs that each pass alone: the notebook keeps tags, Markdown and JSON for a second of parsing."""
    room, value = Room(), [0] * 5_000 if piece is None else piece * (15_000 // len(piece))
    outputs = [output for _ in range(3) for output in build([display({mime: value})] * 20, room=room)]
    kept = [output.data[mime] for output in valid(outputs) if mime in output.data]
    tags = sum(text.count("<") for text in kept if isinstance(text, str)) if mime != "text/markdown" else 0
    assert tags <= 52_000
    assert mime in ("text/html", "image/svg+xml") or size(kept) <= 600_000
    assert any(
        "left out by the grader" in output.data["text/plain"] for output in outputs if "text/plain" in output.data
    )


def test_what_is_nested_too_deeply_for_other_programs_is_left_out():
    """2,000 nested tables end nbconvert with a RecursionError. Elements that need no end are not nested."""
    (deep,) = build([display({"text/html": "<table><tr><td>" * 2_000})])
    rows = "<table>" + "<tr><td>1<br><img src=x><p>text" * 500 + "</table>"
    script = "<script>" + "if (a<b) x<y;" * 40 + "</script>"
    flat = valid(build([display({"text/html": rows}), display({"text/html": script})]))
    assert deep.data == {"text/plain": "[left out by the grader: text/html is nested too deeply]"}
    assert [output.data for output in flat] == [{"text/html": rows}, {"text/html": script}]


def test_colours_are_kept_where_there_are_not_too_many():
    """nbconvert copies the rest of a text at each change of colour."""
    room, red = Room(), "\x1b[31mred\x1b[0m "
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": [red * 5_000]}
    few, many, trace = valid(
        build([stream(red * 100), display({"text/plain": red * 12_000}), {"output": error}], room=room)
    )
    assert few.text == red * 100
    assert many.data["text/plain"] == "red " * 12_000
    assert trace.traceback == [red * 5_000]
    assert room.escapes == 20_000 - 200 - 10_000


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\u2028"])
def test_lines_are_counted_since_each_is_one_of_its_own_in_the_file(end):
    room = Room(lines=25_000)
    displays = [build([stream(f"x{end}" * 60_000)], room=room)[0].text for _ in range(4)]
    assert [text.count("x") for text in displays] == [10_000, 10_000, 5_000, 0]
    assert all(CUT in text for text in displays)


def test_markup_is_read_only_until_it_is_too_much():
    """Of 200 pieces of 4 MB in each cell a little is looked at."""
    assert output_limits._tags("<b>x</b>" * 400_000, 100) == (101, 1)
    assert output_limits._tags("<b>x</b>" * 40, 100) == (80, 1)


def test_all_cells_share_the_number_of_outputs():
    room = Room()
    counts = [len(build([display({"text/plain": "x"})] * 300, room=room)) for _ in range(12)]
    assert counts == [201] * 10 + [1] * 2
