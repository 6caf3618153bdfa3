"""Input generators of the primer tasks: small objects that draw one JSON value from a seeded random.Random.

Only `random()` of random.Random is used (through `below`), because its bits are the same for every Python 3 version.
"""

LOWER = "abcdefghijklmnopqrstuvwxyz"
VOWELED = "aeioubcdrst"
MIXED = "abcdeXYZ aeiou"
WORDS = (
    "sun moon star tree river stone bird fish cat dog horse apple pear plum bread milk tea salt blue red green "
    "gold tiny big old new fast slow warm cold north south east west one two six ten up down left right "
    "anna level noon radar civic otto kayak window door table lamp chair cloud rain snow wind fire"
).split()


def below(rng, bound):
    """An integer in [0, bound)."""
    return int(rng.random() * bound)


def between(rng, low, high):
    """An integer in [low, high], both ends included."""
    return low + below(rng, high - low + 1)


def pick(rng, items):
    """One element of a sequence."""
    return items[below(rng, len(items))]


class Gen:
    """Draws values; `edges` are values that every pool starts from."""

    def __init__(self, draw, edges=()):
        self.draw = draw
        self.edges = list(edges)


def I(low=-100, high=100):  # noqa: E743
    """An integer in [low, high]."""
    edges = [v for v in (0, 1, -1, low, high) if low <= v <= high]
    return Gen(lambda r: between(r, low, high), dict.fromkeys(edges))


def B():
    return Gen(lambda r: below(r, 2) == 1, [False, True])


def F(low=-50, high=50, step=0.5):
    """A float that is a multiple of `step`, so that short decimal arithmetic on it stays exact."""
    return Gen(lambda r: between(r, int(low / step), int(high / step)) * step)


def S(low=0, high=10, letters=LOWER):
    """A text of low to high letters."""
    edges = [""] if low == 0 else []
    return Gen(lambda r: "".join(pick(r, letters) for _ in range(between(r, low, high))), edges)


def word():
    return Gen(lambda r: pick(r, WORDS))


def phrase(low=1, high=5):
    """Words separated by single spaces."""
    return Gen(lambda r: " ".join(pick(r, WORDS) for _ in range(between(r, low, high))))


def L(low=-20, high=20, shortest=0, longest=8):
    """A list of integers."""
    edges = [[]] if shortest == 0 else []
    if shortest <= 1 <= longest:
        edges += [[v] for v in (0, 1, -1) if low <= v <= high]
    return Gen(lambda r: [between(r, low, high) for _ in range(between(r, shortest, longest))], edges)


def LF(low=-20, high=20, shortest=0, longest=6, step=0.5):
    inner = F(low, high, step)
    edges = [[]] if shortest == 0 else []
    return Gen(lambda r: [inner.draw(r) for _ in range(between(r, shortest, longest))], edges)


def LB(shortest=0, longest=10):
    edges = [[]] if shortest == 0 else []
    return Gen(lambda r: [below(r, 2) == 1 for _ in range(between(r, shortest, longest))], edges + [[True], [False]])


def LS(shortest=0, longest=6):
    """A list of words."""
    edges = [[]] if shortest == 0 else []
    return Gen(lambda r: [pick(r, WORDS) for _ in range(between(r, shortest, longest))], edges)


def LL(low=-9, high=9, rows=4, columns=4):
    """A list of lists of integers, rows of any length."""

    def draw(r):
        return [[between(r, low, high) for _ in range(below(r, columns + 1))] for _ in range(below(r, rows + 1))]

    return Gen(draw, [[], [[]]])


class Tasks:
    """Collects declarations: family by family, all of one split."""

    def __init__(self, split):
        self.split = split
        self.items = []
        self.family_name = ""

    def family(self, name):
        self.family_name = name

    def add(self, name, level, signature, description, python, cpp, *gens, draw=None):
        """`level` is 1 (trivial) or 2 (small); `gens` has one Gen per parameter unless `draw(rng)` makes all arguments."""
        self.items.append(
            {
                "name": name,
                "family": self.family_name,
                "split": self.split,
                "level": level,
                "signature": signature,
                "description": description,
                "python": python,
                "cpp": cpp,
                "gens": gens,
                "draw": draw,
            }
        )
