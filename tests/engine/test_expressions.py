"""Regular expressions mean the same in every Python that we run on."""

import importlib
import pkgutil
import re
import warnings

import pytest

import coursekit

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # moved in 3.13, and still the only reader of a pattern
    from re import _constants as constants
    from re import _parser as parser


def patterns():
    for info in pkgutil.walk_packages(coursekit.__path__, "coursekit."):
        if info.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, re.Pattern):
                yield f"{info.name}.{name}", value


def repeated_without_return(items):
    """What stands under a possessive quantifier or in an atomic group, at any depth."""
    for operation, argument in items:
        if operation is constants.POSSESSIVE_REPEAT:
            yield argument[2]
        elif operation is constants.ATOMIC_GROUP:
            yield argument
        for part in parts(argument):
            yield from repeated_without_return(part)


def parts(argument):
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for one in argument:
            yield from parts(one)


def is_one_character(items) -> bool:
    return len(items) == 1 and items[0][0] in {constants.IN, constants.LITERAL, constants.NOT_LITERAL, constants.ANY}


@pytest.mark.parametrize(("pattern", "single"), [("(?:ab|c)*+", False), ("[ab]*+c++", True), ("(?>a*)", False)])
def test_a_group_without_return_is_found(pattern, single):
    assert all(map(is_one_character, repeated_without_return(parser.parse(pattern)))) is single


def test_no_group_is_repeated_possessively():
    """Python before 3.11.5 and 3.12 matches groups with choices in them wrongly; single characters it matches right."""
    found = dict(patterns())
    assert len(found) > 20
    wrong = [
        name
        for name, pattern in found.items()
        if not all(map(is_one_character, repeated_without_return(parser.parse(pattern.pattern, pattern.flags))))
    ]
    assert wrong == []
