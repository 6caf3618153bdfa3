"""Functions that reinforcement learning draws prompts from, trivial half."""

from inputs import F, I, L, S, Tasks, below, between, pick

T = Tasks("rl")

T.family("difference")
T.add("subtract", 1, "(a: int, b: int) -> int", "returns a minus b.", "return a - b", "return a - b;", I(), I())
T.add("money_left", 1, "(total: int, spent: int, lost: int) -> int", "returns total minus spent minus lost.",
      "return total - spent - lost", "return total - spent - lost;", I(), I(), I())

T.family("product")
T.add("multiply", 1, "(x: int, y: int) -> int", "returns the product of two integers.", "return x * y", "return x * y;", I(-60, 60), I(-60, 60))
T.add("multiply_three", 1, "(x: int, y: int, z: int) -> int", "returns the product of three integers.",
      "return x * y * z", "return x * y * z;", I(-30, 30), I(-30, 30), I(-30, 30))

T.family("small_power")
T.add("square", 1, "(n: int) -> int", "returns the square of an integer.", "return n * n", "return n * n;", I(-300, 300))
T.add("cube", 1, "(n: int) -> int", "returns the cube of an integer.", "return n * n * n", "return n * n * n;", I(-200, 200))

T.family("step")
T.add("next_number", 1, "(n: int) -> int", "returns the integer that is one greater than n.", "return n + 1", "return n + 1;", I(-300, 300))
T.add("previous_number", 1, "(n: int) -> int", "returns the integer that is one smaller than n.", "return n - 1", "return n - 1;", I(-300, 300))

T.family("sign_test")
T.add("is_negative", 1, "(n: int) -> bool", "returns whether an integer is less than zero.", "return n < 0", "return n < 0;", I(-200, 200))
T.add("is_positive", 1, "(n: int) -> bool", "returns whether an integer is greater than zero.", "return n > 0", "return n > 0;", I(-200, 200))
T.add("is_below", 1, "(value: int, limit: int) -> bool", "returns whether a value is less than a limit.",
      "return value < limit", "return value < limit;", I(-15, 15), I(-15, 15))

T.family("equality")
T.add("are_equal", 1, "(a: int, b: int) -> bool", "returns whether two integers are equal.", "return a == b", "return a == b;",
      draw=lambda r: (lambda a: [a, a if below(r, 2) else a + between(r, -3, 3)])(between(r, -99, 99)))
T.add("are_different_texts", 1, "(left: str, right: str) -> bool", "returns whether two texts are different.",
      "return left != right", "return left != right;",
      draw=lambda r: (lambda s: [s, s if below(r, 2) else "".join(pick(r, "abc") for _ in range(below(r, 6)))])("".join(pick(r, "abc") for _ in range(below(r, 6)))))

T.family("order")
T.add("is_greater", 1, "(a: int, b: int) -> bool", "returns whether a is greater than b.", "return a > b", "return a > b;", I(-15, 15), I(-15, 15))
T.add("in_order", 1, "(a: int, b: int, c: int) -> bool", "returns whether a is less than b and b is less than c.",
      "return a < b and b < c", "return a < b && b < c;",
      draw=lambda r: (lambda v: sorted(v) if below(r, 2) else v)([between(r, -9, 9) for _ in range(3)]))

T.family("decimal_digits")
T.add("last_digit", 1, "(n: int) -> int", "returns the last decimal digit of a non-negative integer.", "return n % 10", "return n % 10;", I(0, 2000))
T.add("without_last_digit", 1, "(n: int) -> int", "returns a non-negative integer without its last decimal digit.", "return n // 10", "return n / 10;", I(0, 2000))

T.family("mixed_arithmetic")
T.add("a_plus_twice_b", 1, "(a: int, b: int) -> int", "returns a plus two times b.", "return a + b * 2", "return a + b * 2;", I(), I())
T.add("product_plus_c", 1, "(a: int, b: int, c: int) -> int", "returns the product of a and b, plus c.",
      "return a * b + c", "return a * b + c;", I(-30, 30), I(-30, 30), I(-50, 50))

T.family("perimeter")
T.add("rectangle_perimeter", 1, "(width: int, height: int) -> int", "returns the perimeter of a rectangle.",
      "return 2 * (width + height)", "return 2 * (width + height);", I(0, 99), I(0, 99))
T.add("square_perimeter", 1, "(side: int) -> int", "returns the perimeter of a square.", "return 4 * side", "return 4 * side;", I(0, 400))

T.family("negation")
T.add("opposite", 1, "(n: int) -> int", "returns the integer with its sign changed.", "return -n", "return -n;", I(-300, 300))
T.add("negative_sum", 1, "(a: int, b: int) -> int", "returns the sum of two integers with its sign changed.",
      "return -(a + b)", "return -(a + b);", I(), I())

T.family("list_tail")
T.add("last_item", 1, "(items: list[int]) -> int", "returns the last element of a non-empty list.",
      "return items[-1]", "return items.back();", L(-50, 50, 1, 6))
T.add("without_last", 1, "(items: list[int]) -> list[int]", "returns a non-empty list without its last element.",
      "return items[:-1]", "std::vector<int> result = items;\nresult.pop_back();\nreturn result;", L(-20, 20, 1, 6))

T.family("join_two")
T.add("put_around", 1, "(text: str, mark: str) -> str", "returns the mark, then the text, then the mark again.",
      "return mark + text + mark", "return mark + text + mark;", S(0, 7), S(1, 3))
T.add("join_swapped", 1, "(first: str, second: str) -> str", "returns the second text followed by the first.",
      "return second + first", "return second + first;", S(0, 7), S(0, 7))

T.family("wrap_text")
T.add("in_brackets", 1, "(text: str) -> str", "returns the text between \"[\" and \"]\".", 'return "[" + text + "]"', 'return "[" + text + "]";', S(0, 9))
T.add("exclaim", 1, "(text: str) -> str", "returns the text with \"!\" added at the end.", 'return text + "!"', 'return text + "!";', S(0, 9))

T.family("combine_units")
T.add("total_cents", 1, "(dollars: int, cents: int) -> int", "returns the number of cents in the given dollars and cents.",
      "return dollars * 100 + cents", "return dollars * 100 + cents;", I(0, 200), I(0, 99))
T.add("total_seconds", 1, "(minutes: int, seconds: int) -> int", "returns the number of seconds in the given minutes and seconds.",
      "return minutes * 60 + seconds", "return minutes * 60 + seconds;", I(0, 200), I(0, 59))

T.family("add_constant")
T.add("add_hundred", 1, "(n: int) -> int", "returns an integer plus 100.", "return n + 100", "return n + 100;", I(-300, 300))
T.add("age_in_ten_years", 1, "(age: int) -> int", "returns the age ten years later.", "return age + 10", "return age + 10;", I(0, 300))

T.family("part_of_number")
T.add("half_of", 1, "(x: float) -> float", "returns half of a number.", "return x / 2", "return x / 2;", F(-99, 99, 0.5))
T.add("quarter_of", 1, "(x: float) -> float", "returns a quarter of a number.", "return x / 4", "return x / 4;", F(-99, 99, 0.5))

T.family("repeat_text")
T.add("text_twice", 1, "(text: str) -> str", "returns the text two times in a row.", "return text + text", "return text + text;", S(0, 8))
T.add("text_with_copy", 1, "(text: str) -> str", "returns the text, a dash \"-\" and the text again.",
      'return text + "-" + text', 'return text + "-" + text;', S(0, 8))

T.family("size_test")
T.add("has_more_than_two", 1, "(items: list[int]) -> bool", "returns whether a list has more than two elements.",
      "return len(items) > 2", "return items.size() > 2;", L(-9, 9, 0, 5))
T.add("is_single_character", 1, "(text: str) -> bool", "returns whether a text has exactly one character.",
      "return len(text) == 1", "return text.size() == 1;",
      draw=lambda r: [pick(r, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?+-*/=<>()[]_@#%&") if below(r, 2)
                      else "".join(pick(r, "abcdef") for _ in range(pick(r, [0, 2, 2, 3, 4, 5])))])

T.family("sum_check")
T.add("sum_is", 1, "(a: int, b: int, total: int) -> bool", "returns whether a plus b equals total.",
      "return a + b == total", "return a + b == total;",
      draw=lambda r: (lambda a, b: [a, b, a + b if below(r, 2) else a + b + between(r, -3, 3)])(between(r, -30, 30), between(r, -30, 30)))
