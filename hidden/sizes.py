"""Hidden cases in many sizes, for the exercises of every assignment."""

from selfcheck.exercises import Case


def layer_cases(first_seed, extra=()):
    """A layer in five other sizes: wide, narrow, one example, one unit, many examples."""
    suffix = "".join(f" {value}" for value in extra)
    sizes = ((6, 4, 3), (2, 5, 7), (4, 3, 1), (3, 1, 6), (1, 2, 20))
    return tuple(
        Case(f"{n_prev}-{n}-{m}{suffix}", {"seed": first_seed + i, "n_prev": n_prev, "n": n, "m": m}, extra)
        for i, (n_prev, n, m) in enumerate(sizes)
    )


def unit_cases(first_seed):
    """Five other sizes, like those of ``layer_cases``, for functions of one layer's units: n units, m examples."""
    return tuple(
        Case(f"{n}-{m}", {"seed": first_seed + i, "n": n, "m": m})
        for i, (n, m) in enumerate(((4, 3), (5, 7), (3, 1), (1, 6), (10, 20)))
    )


def network_cases(first_seed, *dims_and_m, extra=(), also=(), **make):
    """Networks of several depths; the name begins with the number of layers, by which checks select cases."""
    return tuple(
        Case(
            " ".join([f"{len(dims) - 1} layers {'-'.join(map(str, dims))} m={m}", *also]),
            {"seed": first_seed + i, "layer_dims": dims, "m": m, **make},
            extra,
        )
        for i, (dims, m) in enumerate(dims_and_m)
    )
