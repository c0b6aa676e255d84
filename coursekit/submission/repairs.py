"""What a student ought to know of how their notebook was repaired, one sentence each."""

from coursekit.model import accents
from coursekit.model.wording import listed
from coursekit.submission.cells import alike
from coursekit.submission.matched_cells import MatchedCells
from coursekit.submission.matching import Answers


def sentences(match: MatchedCells, found: Answers) -> tuple[str, ...]:
    """About cells, tests, names and accents; what makes no difference is not said."""
    return (*_about_cells(found), *_about_tests(match), *_about_names(match, found), *_about_accents(match))


def _about_cells(found: Answers) -> tuple[str, ...]:
    """What is the same for many cells is said once."""
    said = []
    several = [name for name, copies in found.copies.items() if copies > 1]
    if len(several) <= 2:
        said += [f"The cell {name} was there {found.copies[name]} times; the last answer counts." for name in several]
    else:
        said.append(f"The cells {listed(several)} were there more than once; of each the last answer counts.")
    if 0 < len(found.nameless) <= 2:
        said += [f"The answer to {name} was not in its cell; it was found by the function in it."
                 for name in found.nameless]  # fmt: skip
    elif found.nameless:
        said.append("The names of the cells are lost (some editors drop them); answers were found by their functions.")
    if len(found.missing) == 1:
        said.append(f"The answer cell {found.missing[0]} is missing; it counts as not written.")
    elif found.missing:
        said.append(f"The answer cells {listed(found.missing)} are missing; they count as not written.")
    return tuple(said)


def _about_tests(match: MatchedCells) -> tuple[str, ...]:
    """Test cells that were changed, or deleted beside an answer that is there."""
    said = []
    for cell in match.cells.values():
        if not cell.test:
            continue
        copies = [match.theirs[index] for index in match.places(cell)]
        if copies and not any(cell.same(piece.source) for piece in copies):
            said.append(f"The test cell {cell.id} was changed; the original is used.")
        elif not copies and cell.id.removesuffix("-test") in match.claimed:
            said.append(f"The test cell {cell.id} was missing; it is back.")
    return tuple(said)


def _about_names(match: MatchedCells, found: Answers) -> tuple[str, ...]:
    """Why a function that seems to be there does not count: another name, inside a class, an unfinished merge."""
    known = {name for cell in match.cells.values() for name in cell.defined}
    own = {name for piece in match.theirs for name in piece.definitions} - known
    said = []
    for cell in match.cells.values():
        if cell.blank is None:
            continue
        there = any(cell.written(piece) for piece in match.theirs)
        text = found.source.get(cell.id, "")
        if any(line.startswith(("<<<<<<< ", ">>>>>>> ")) for line in text.split("\n")):
            said.append(f"The answer {cell.id} holds the marks of an unfinished Git merge (<<<<<<<): choose one side.")
        if there:
            continue
        for name in sorted(cell.wanted):
            other = alike(name, own)
            inside = [piece.methods[name] for piece in match.theirs if name in piece.methods]
            if inside:
                said.append(f"{name} stands inside the class {inside[0]}; only a function outside of any class counts.")
            elif other:
                said.append(f"There is a {other}, but no {name}: only a function of exactly this name counts.")
    return tuple(said)


def _about_accents(match: MatchedCells) -> tuple[str, ...]:
    """Code that could be Python, and is not looked at."""
    found = [
        f"The cell {claim}" if claim else "A cell of your own"
        for piece, claim in match
        if piece.kind == "code" and piece.short and not accents.are_few(piece.source)
    ]
    what = f"has more than {accents.MOST_IN_A_ROW} accents on one letter, so it cannot be read as Python."
    return tuple(f"{cell} {what}" for cell in dict.fromkeys(found))
