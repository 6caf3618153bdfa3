"""Held-out functions, trivial half: never trained on, never used to choose a setting."""

from inputs import B, F, I, L, S, Tasks, below, between, pick, word

T = Tasks("test")

T.family("squares_of_two")
T.add("sum_of_two_squares", 1, "(a: int, b: int) -> int", "returns the sum of the squares of two integers.",
      "return a * a + b * b", "return a * a + b * b;", I(-40, 40), I(-40, 40))
T.add("difference_of_squares", 1, "(a: int, b: int) -> int", "returns the square of a minus the square of b.",
      "return a * a - b * b", "return a * a - b * b;", I(-40, 40), I(-40, 40))

T.family("group_then_scale")
T.add("sum_times_factor", 1, "(a: int, b: int, factor: int) -> int", "returns the sum of a and b, multiplied by factor.",
      "return (a + b) * factor", "return (a + b) * factor;", I(-30, 30), I(-30, 30), I(-12, 12))
T.add("difference_times_three", 1, "(a: int, b: int) -> int", "returns the difference a minus b, multiplied by three.",
      "return (a - b) * 3", "return (a - b) * 3;", I(-60, 60), I(-60, 60))

T.family("affine")
T.add("double_plus_one", 1, "(n: int) -> int", "returns twice the integer plus one.", "return 2 * n + 1", "return 2 * n + 1;", I(-300, 300))
T.add("five_times_minus_two", 1, "(n: int) -> int", "returns five times the integer minus two.", "return 5 * n - 2", "return 5 * n - 2;", I(-300, 300))

T.family("range_test")
T.add("is_between", 1, "(n: int, low: int, high: int) -> bool", "returns whether n is at least low and at most high.",
      "return low <= n <= high", "return low <= n && n <= high;", I(-12, 12), I(-12, 4), I(-4, 12))
T.add("is_two_digit", 1, "(n: int) -> bool", "returns whether an integer is from 10 to 99.",
      "return 10 <= n <= 99", "return 10 <= n && n <= 99;", draw=lambda r: [between(r, 0, 110) if below(r, 2) else between(r, -120, 250)])

T.family("both_ends")
T.add("first_plus_last", 1, "(numbers: list[int]) -> int", "returns the sum of the first and the last element of a non-empty list.",
      "return numbers[0] + numbers[-1]", "return numbers.front() + numbers.back();", L(-50, 50, 1, 6))
T.add("same_ends", 1, "(numbers: list[int]) -> bool", "returns whether the first and the last element of a non-empty list are equal.",
      "return numbers[0] == numbers[-1]", "return numbers.front() == numbers.back();",
      draw=lambda r: (lambda v: [v + [v[0]] if below(r, 2) else v])([between(r, -9, 9) for _ in range(between(r, 1, 5))]))

T.family("indexing")
T.add("item_at", 1, "(items: list[int], index: int) -> int", "returns the element of a list at a valid index.",
      "return items[index]", "return items[index];",
      draw=lambda r: (lambda v: [v, below(r, len(v))])([between(r, -50, 50) for _ in range(between(r, 1, 7))]))
T.add("sum_of_two_items", 1, "(items: list[int], i: int, j: int) -> int", "returns the sum of the elements of a list at two valid indices i and j.",
      "return items[i] + items[j]", "return items[i] + items[j];",
      draw=lambda r: (lambda v: [v, below(r, len(v)), below(r, len(v))])([between(r, -50, 50) for _ in range(between(r, 1, 7))]))

T.family("length_arithmetic")
T.add("total_length", 1, "(first: str, second: str) -> int", "returns the number of characters in two texts together.",
      "return len(first) + len(second)", "return first.size() + second.size();", S(0, 9), S(0, 9))
T.add("items_missing", 1, "(items: list[int], wanted: int) -> int", "returns wanted minus the number of elements in a list.",
      "return wanted - len(items)", "return wanted - static_cast<int>(items.size());", L(-9, 9, 0, 7), I(0, 20))

T.family("membership")
T.add("contains_number", 1, "(numbers: list[int], target: int) -> bool", "returns whether target is one of the numbers in a list.",
      "return target in numbers",
      "for (int n : numbers) {\n    if (n == target) {\n        return true;\n    }\n}\nreturn false;", L(-4, 4, 0, 7), I(-4, 4))
T.add("contains_letter", 1, "(word: str, letter: str) -> bool", "returns whether a word contains a letter.",
      "return letter in word", "return word.find(letter) != std::string::npos;", S(0, 8, "abcdef"), S(1, 1, "abcdef"))

T.family("eligibility")
T.add("can_ride", 1, "(height: int, with_adult: bool) -> bool", "returns whether the height is at least 120 or an adult is present.",
      "return height >= 120 or with_adult", "return height >= 120 || with_adult;", I(0, 250), B())
T.add("can_vote", 1, "(age: int, citizen: bool) -> bool", "returns whether the age is at least 18 and the person is a citizen.",
      "return age >= 18 and citizen", "return age >= 18 && citizen;",
      draw=lambda r: [between(r, 0, 36) if below(r, 2) else between(r, 0, 150), below(r, 3) > 0])

T.family("temperature")
T.add("celsius_to_fahrenheit", 1, "(celsius: float) -> float", "returns a temperature in degrees Fahrenheit: celsius times 9, divided by 5, plus 32.",
      "return celsius * 9 / 5 + 32", "return celsius * 9 / 5 + 32;", F(-300, 300, 2.5))
T.add("fahrenheit_to_celsius", 1, "(fahrenheit: float) -> float", "returns a temperature in degrees Celsius: fahrenheit minus 32, times 5, divided by 9.",
      "return (fahrenheit - 32) * 5 / 9", "return (fahrenheit - 32) * 5 / 9;", F(-300, 300, 0.5))

T.family("triangle_area")
T.add("triangle_area", 1, "(base: float, height: float) -> float", "returns the area of a triangle: half of base times height.",
      "return base * height / 2", "return base * height / 2;", F(0, 40, 0.5), F(0, 40, 0.5))

T.family("surface")
T.add("box_surface", 1, "(a: int, b: int, c: int) -> int", "returns the surface area of a box with edges a, b and c.",
      "return 2 * (a * b + b * c + a * c)", "return 2 * (a * b + b * c + a * c);", I(0, 30), I(0, 30), I(0, 30))
T.add("cube_surface", 1, "(edge: int) -> int", "returns the surface area of a cube: six times the square of its edge.",
      "return 6 * edge * edge", "return 6 * edge * edge;", I(0, 400))

T.family("join_with_mark")
T.add("make_email", 1, "(user: str, domain: str) -> str", "returns the user, then \"@\", then the domain.",
      'return user + "@" + domain', 'return user + "@" + domain;', S(0, 7), S(0, 7))
T.add("last_comma_first", 1, "(first: str, last: str) -> str", "returns the last name, then \", \", then the first name.",
      'return last + ", " + first', 'return last + ", " + first;', S(0, 7), S(0, 7))

T.family("division")
T.add("leftover", 1, "(total: int, size: int) -> int", "returns the remainder of dividing total by size, both positive.",
      "return total % size", "return total % size;", I(1, 200), I(1, 30))
T.add("full_boxes", 1, "(total: int, size: int) -> int", "returns how many whole times size fits in total, both positive.",
      "return total // size", "return total / size;", I(1, 200), I(1, 30))

T.family("compare_result")
T.add("sum_over_hundred", 1, "(a: int, b: int) -> bool", "returns whether the sum of two integers is greater than 100.",
      "return a + b > 100", "return a + b > 100;", I(0, 100), I(0, 100))
T.add("has_negative_product", 1, "(a: int, b: int) -> bool", "returns whether the product of two integers is less than zero.",
      "return a * b < 0", "return a * b < 0;", I(-20, 20), I(-20, 20))

T.family("triangular")
T.add("triangular_number", 1, "(n: int) -> int", "returns n times (n + 1), divided by 2, for a non-negative integer n.",
      "return n * (n + 1) // 2", "return n * (n + 1) / 2;", I(0, 400))
