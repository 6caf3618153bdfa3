"""Maths items: templates that make a question, an exact answer and one line of working from drawn numbers.

Each template belongs to one split and gives ten items; answers are integers or fractions in lowest terms.
"""

import random
from fractions import Fraction

from inputs import between, pick

ITEMS_PER_TEMPLATE = 10
NAMES = ["Ana", "Ben", "Mia", "Leo", "Zoe", "Tom", "Eva", "Max"]
THINGS = ["apples", "books", "coins", "pens", "stamps", "shells", "cards", "marbles"]


def _add(r):
    a, b = between(r, 1, 40), between(r, 1, 40)
    return f"What is {a} + {b}?", a + b, f"{a} + {b} = {a + b}"


def _take_away(r):
    a, b = between(r, 10, 50), between(r, 1, 10)
    name, things = pick(r, NAMES), pick(r, THINGS)
    return f"{name} has {a} {things} and gives away {b}. How many {things} are left?", a - b, f"{a} - {b} = {a - b}"


def _times(r):
    a, b = between(r, 2, 12), between(r, 2, 12)
    return f"What is {a} * {b}?", a * b, f"{a} * {b} = {a * b}"


def _share(r):
    b, q = between(r, 2, 8), between(r, 2, 9)
    things = pick(r, THINGS)
    return f"{b} friends share {b * q} {things} equally. How many does each one get?", q, f"{b * q} / {b} = {q}"


def _subtract(r):
    a, b = between(r, 1, 60), between(r, 1, 60)
    return f"What is {a} - {b}?", a - b, f"{a} - {b} = {a - b}"


def _more(r):
    a, b = between(r, 1, 30), between(r, 1, 30)
    name, things = pick(r, NAMES), pick(r, THINGS)
    return f"{name} has {a} {things} and finds {b} more. How many {things} does {name} have now?", a + b, f"{a} + {b} = {a + b}"


def _boxes(r):
    a, b = between(r, 2, 10), between(r, 2, 12)
    things = pick(r, THINGS)
    return f"There are {a} boxes with {b} {things} in each. How many {things} are there in total?", a * b, f"{a} * {b} = {a * b}"


def _divide(r):
    b, q = between(r, 2, 12), between(r, 2, 12)
    return f"What is {b * q} / {b}?", q, f"{b * q} / {b} = {q}"


def _add_three(r):
    a, b, c = (between(r, 1, 20) for _ in range(3))
    return f"What is {a} + {b} + {c}?", a + b + c, f"{a} + {b} + {c} = {a + b} + {c} = {a + b + c}"


def _double(r):
    a = between(r, 2, 60)
    return f"What is twice {a}?", 2 * a, f"2 * {a} = {2 * a}"


def _half(r):
    a = between(r, 2, 60)
    return f"What is half of {2 * a}?", a, f"{2 * a} / 2 = {a}"


def _spend(r):
    price, left = between(r, 2, 30), between(r, 1, 30)
    name = pick(r, NAMES)
    return (f"{name} has {price + left} dollars and spends {price} dollars. How many dollars are left?", left,
            f"{price + left} - {price} = {left}")


def _legs(r):
    animal, legs = pick(r, [("dog", 4), ("bird", 2), ("spider", 8), ("ant", 6)])
    n = between(r, 2, 12)
    return f"A {animal} has {legs} legs. How many legs do {n} {animal}s have?", legs * n, f"{n} * {legs} = {legs * n}"


def _next_number(r):
    start, step = between(r, 1, 20), between(r, 2, 9)
    shown = [start + step * i for i in range(4)]
    return (f"What number comes next: {', '.join(map(str, shown))}?", shown[-1] + step,
            f"{shown[-1]} + {step} = {shown[-1] + step}")


def _fraction_of(r):
    b, q = pick(r, [2, 3, 4, 5, 10]), between(r, 2, 12)
    return f"What is 1/{b} of {b * q}?", q, f"{b * q} / {b} = {q}"


def _add_fractions(r):
    d = between(r, 3, 12)
    a, b = between(r, 1, d - 1), between(r, 1, d - 1)
    answer = Fraction(a + b, d)
    return f"What is {a}/{d} + {b}/{d}? Give a fraction in lowest terms or an integer.", answer, f"({a} + {b})/{d} = {answer}"


def _missing_addend(r):
    a, b = between(r, 1, 30), between(r, 1, 30)
    return f"What number must be added to {a} to get {a + b}?", b, f"{a + b} - {a} = {b}"


def _older(r):
    a, b = between(r, 3, 40), between(r, 2, 20)
    first, second = pick(r, ["Ana", "Mia", "Zoe"]), pick(r, ["Ben", "Leo", "Tom"])
    return (f"{first} is {a} years old. {second} is {b} years older. How old is {second}?", a + b, f"{a} + {b} = {a + b}")


def _multiply_add(r):
    a, b, c = between(r, 2, 9), between(r, 2, 9), between(r, 1, 20)
    return f"What is {a} * {b} + {c}?", a * b + c, f"{a} * {b} + {c} = {a * b} + {c} = {a * b + c}"


def _weeks(r):
    a = between(r, 2, 30)
    return f"How many days are there in {a} weeks?", 7 * a, f"{a} * 7 = {7 * a}"


def _sum_of(r):
    a, b = between(r, 5, 50), between(r, 5, 50)
    return f"Find the sum of {a} and {b}.", a + b, f"{a} + {b} = {a + b}"


def _difference_of(r):
    b, d = between(r, 1, 30), between(r, 1, 30)
    return f"Find the difference between {b + d} and {b}.", d, f"{b + d} - {b} = {d}"


def _product_of(r):
    a, b = between(r, 2, 11), between(r, 2, 11)
    return f"Find the product of {a} and {b}.", a * b, f"{a} * {b} = {a * b}"


def _pages(r):
    a, b = between(r, 20, 80), between(r, 1, 19)
    name = pick(r, NAMES)
    return (f"{name} reads a book of {a} pages and has read {b} pages. How many pages are still to read?", a - b,
            f"{a} - {b} = {a - b}")


def _rows(r):
    a, b = between(r, 2, 10), between(r, 3, 12)
    return f"A room has {a} rows of {b} chairs. How many chairs does it have?", a * b, f"{a} * {b} = {a * b}"


def _bus(r):
    a, off, on = between(r, 10, 40), between(r, 1, 9), between(r, 1, 15)
    return (f"A bus carries {a} people. At a stop {off} get off and {on} get on. How many people are on the bus now?",
            a - off + on, f"{a} - {off} + {on} = {a - off + on}")


def _remainder(r):
    a, b = between(r, 10, 60), between(r, 3, 9)
    return f"What is the remainder when {a} is divided by {b}?", a % b, f"{a} = {b} * {a // b} + {a % b}"


def _solve_x(r):
    a, x = between(r, 1, 30), between(r, 1, 30)
    return f"Solve x + {a} = {x + a} for x.", x, f"x = {x + a} - {a} = {x}"


def _as_fraction(r):
    b = between(r, 3, 15)
    a = between(r, 1, b - 1)
    answer = Fraction(a, b)
    return (f"{a} of {b} balls are red. What fraction of the balls is red, in lowest terms?", answer, f"{a}/{b} = {answer}")


def _tickets(r):
    a, price = between(r, 2, 9), between(r, 3, 15)
    return (f"A ticket costs {price} dollars. How many dollars do {a} tickets cost?", a * price, f"{a} * {price} = {a * price}")


TEMPLATES = {
    "sft": [_add, _take_away, _times, _share],
    "rl": [_subtract, _more, _boxes, _divide, _add_three, _double, _half, _spend, _legs, _next_number, _fraction_of, _add_fractions],
    "dev": [_missing_addend, _older, _multiply_add, _weeks],
    "test": [_sum_of, _difference_of, _product_of, _pages, _rows, _bus, _remainder, _solve_x, _as_fraction, _tickets],
}


def items():
    """The rows of math.jsonl: 40 sft, 120 rl, 40 dev, 100 test, no question twice."""
    rows = []
    asked = set()
    for split, templates in TEMPLATES.items():
        for template in templates:
            name = template.__name__[1:]
            rng = random.Random("primer/math/" + name)
            made = 0
            while made < ITEMS_PER_TEMPLATE:
                question, answer, working = template(rng)
                if question in asked:
                    continue
                asked.add(question)
                rows.append({
                    "id": f"primer/math/{name}/{made}",
                    "template": name,
                    "split": split,
                    "data_source": "primer/math",
                    "license": "Apache-2.0",
                    "question": question,
                    "answer": str(answer),
                    "worked": f"{working}, so the answer is \\boxed{{{answer}}}.",
                })
                made += 1
    return rows
