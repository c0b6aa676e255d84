"""What the course's module ``figures`` remembers, as JSON carries it from one fork server to the next."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any


def remembered(figures: Any) -> dict[str, Any]:
    """By function and arguments the PNG in base64, the alternative text and the width."""
    return {
        asked: [b64encode(one.png).decode("ascii"), one.alt, one.width]
        for asked, one in getattr(figures, "_drawn", {}).items()
    }


def remember(figures: Any, pictures: Mapping[str, Any]) -> int:
    """``figures`` remembers what ``remembered`` gave, unless it is damaged; how many pictures that are."""
    try:
        found = {
            str(asked): _picture(figures, b64decode(png, validate=True), str(alt), int(width))
            for asked, (png, alt, width) in pictures.items()
        }
        figures._drawn.update(found)
    except (AttributeError, TypeError, ValueError):  # or this course has no such module
        return 0
    return len(found)


def _picture(figures: Any, png: bytes, alt: str, width: int) -> Any:
    picture = figures.Picture.__new__(figures.Picture)  # what makes one otherwise is a drawing
    picture.png, picture.alt, picture.width = png, alt, width
    return picture
