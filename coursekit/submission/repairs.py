"""Notes for the student on how the notebook was repaired, one sentence each."""

from coursekit.model import accents
from coursekit.model.wording import listed
from coursekit.submission.cells import closest_name
from coursekit.submission.matched_cells import MatchedCells
from coursekit.submission.matching import Answers


def sentences(match: MatchedCells, found: Answers) -> tuple[str, ...]:
    """Notes about cells, tests, names and accents, if they make a difference."""
    return (*_about_cells(found), *_about_tests(match), *_about_names(match, found), *_about_accents(match))


def _about_cells(found: Answers) -> tuple[str, ...]:
    """Notes about copied, nameless and missing answer cells; a note about many cells is one sentence."""
    notes = []
    several = [name for name, copies in found.copies.items() if copies > 1]
    if len(several) <= 2:
        notes += [f"The cell {name} was there {found.copies[name]} times; the last answer counts." for name in several]
    else:
        notes.append(f"The cells {listed(several)} were there more than once; of each the last answer counts.")
    if 0 < len(found.nameless) <= 2:
        notes += [f"The answer to {name} was not in its cell; it was found by the function in it."
                 for name in found.nameless]  # fmt: skip
    elif found.nameless:
        notes.append("The names of the cells are lost (some editors drop them); answers were found by their functions.")
    if len(found.missing) == 1:
        notes.append(f"The answer cell {found.missing[0]} is missing; it counts as not written.")
    elif found.missing:
        notes.append(f"The answer cells {listed(found.missing)} are missing; they count as not written.")
    return tuple(notes)


def _about_tests(match: MatchedCells) -> tuple[str, ...]:
    """Test cells that were changed, or deleted although the answer is there."""
    notes = []
    for cell in match.cells.values():
        if not cell.test:
            continue
        copies = [match.submitted_cells[index] for index in match.indices_of(cell)]
        if copies and not any(cell.is_unchanged(submitted.source) for submitted in copies):
            notes.append(f"The test cell {cell.id} was changed; the original is used.")
        elif not copies and cell.id.removesuffix("-test") in match.source_ids:
            notes.append(f"The test cell {cell.id} was missing; it is back.")
    return tuple(notes)


def _about_names(match: MatchedCells, found: Answers) -> tuple[str, ...]:
    """Why a function does not count: a misspelt name, a method of a class, an unfinished merge."""
    known = {name for cell in match.cells.values() for name in cell.defined}
    own = {name for submitted in match.submitted_cells for name in submitted.definitions} - known
    notes = []
    for cell in match.cells.values():
        if cell.blank is None:
            continue
        there = any(cell.functions_in(submitted) for submitted in match.submitted_cells)
        text = found.source.get(cell.id, "")
        if any(line.startswith(("<<<<<<< ", ">>>>>>> ")) for line in text.split("\n")):
            notes.append(f"The answer {cell.id} holds the marks of an unfinished Git merge (<<<<<<<): choose one side.")
        if there:
            continue
        for name in sorted(cell.wanted):
            other = closest_name(name, own)
            inside = [submitted.methods[name] for submitted in match.submitted_cells if name in submitted.methods]
            if inside:
                notes.append(
                    f"{name} stands inside the class {inside[0]}; only a function outside of any class counts."
                )
            elif other:
                notes.append(f"There is a {other}, but no {name}: only a function of exactly this name counts.")
    return tuple(notes)


def _about_accents(match: MatchedCells) -> tuple[str, ...]:
    """Code cells that are not parsed because of too many accents in a row."""
    found = [
        f"The cell {source_id}" if source_id else "A cell of your own"
        for submitted, source_id in match
        if submitted.kind == "code" and submitted.parseable and not accents.are_few(submitted.source)
    ]
    what = f"has more than {accents.MOST_IN_A_ROW} accents on one letter, so it cannot be read as Python."
    return tuple(f"{cell} {what}" for cell in dict.fromkeys(found))
