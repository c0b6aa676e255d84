"""Renamed grade ids are recognised where that is certain; otherwise somebody has to decide."""

from coursekit.grading.grade_ids import Cell, Plan, plan

STUB = "Write your answer here."


def solution(name, function):
    return Cell(name, frozenset({"SolutionCell"}), "code", f"def {function}(x):\n    raise NotImplementedError")


def check(name, *functions):
    return Cell(name, frozenset({"GradeCell"}), "code", "\n".join(f"assert {one}(1) == 2" for one in functions))


def written(name, text=STUB):
    return Cell(name, frozenset({"GradeCell", "SolutionCell"}), "markdown", text)


OLD = (solution("one", "f"), check("one-test", "f"), solution("two", "g"), check("two-test", "g", "f"), written("why"))


def test_what_has_not_changed_needs_nothing():
    assert not plan(OLD, OLD)
    assert plan(OLD, OLD) == Plan()


def test_cells_are_recognised_by_their_functions_wherever_they_are_now():
    now = (solution("second", "g"), check("check-2", "g", "f"), solution("first", "f"), check("check-1", "f"), OLD[4])
    found = plan(OLD, now)
    assert found.renamed == {"one": "first", "one-test": "check-1", "two": "second", "two-test": "check-2"}
    assert found.decided
    assert not found.added


def test_names_that_were_swapped_are_no_change_of_ids():
    """A name that both have stays: only the function of the exercise is another one, which a new grading judges."""
    assert not plan(OLD, (solution("one", "g"), check("one-test", "g"), *OLD[2:]))


def test_a_test_follows_its_solution_by_name():
    """Whatever it calls, for instance through a helper."""
    old = (solution("one", "f"), check("one-test"))
    found = plan(old, (solution("first", "f"), check("first-test", "f")))
    assert found.renamed == {"one": "first", "one-test": "first-test"}


def test_the_same_text_is_the_same_cell_if_no_other_has_it():
    assert plan(OLD, (*OLD[:4], written("reason"))).renamed == {"why": "reason"}
    old = (written("why"), OLD[0], written("how"))
    found = plan(old, (written("reason"), OLD[0], written("way")))
    assert found.renamed == {}
    assert found.unsure == {"why": "reason", "how": "way"}
    assert not found.decided


def test_another_function_in_the_same_place_has_to_be_decided():
    now = (solution("first", "first"), check("first-test", "first"), *OLD[2:])
    found = plan(OLD, now)
    assert (found.renamed, found.unsure) == ({}, {"one": "first", "one-test": "first-test"})
    decided = plan(OLD, now, {"one": "first"})
    assert (decided.renamed, decided.decided) == ({"one": "first", "one-test": "first-test"}, True)
    removed = plan(OLD, now, remove=("one",))
    assert (removed.removed, removed.added) == (("one", "one-test"), ("first", "first-test"))
    assert removed.decided


def test_several_cells_in_one_place_are_not_told_apart():
    now = (solution("first", "a"), check("first-test", "a"), solution("half", "b"), check("half-test", "b"), *OLD[2:])
    found = plan(OLD, now)
    assert (found.unsure, found.gone) == ({}, ("one", "one-test"))
    assert found.added == ("first", "first-test", "half", "half-test")


def test_a_cell_of_another_kind_is_another_cell():
    """A question that a test marks now has nothing to do with marks that a person gave, whatever its name."""
    now = (*OLD[:4], check("why"))
    assert plan(OLD, now).gone == ("why",)
    assert plan(OLD, now, {"why": "why"}).gone == ("why",)
    decided = plan(OLD, now, remove=("why",))
    assert (decided.removed, decided.added, decided.decided) == (("why",), ("why",), True)


def test_new_cells_need_no_decision():
    found = plan(OLD, (*OLD, written("more", "Write more.")))
    assert (found.added, found.decided, bool(found)) == (("more",), True, True)
