"""Functions that reinforcement learning draws prompts from, small half."""

from inputs import I, L, MIXED, S, Tasks, VOWELED, below, between, pick

T = Tasks("rl")

T.family("sum_filtered")
T.add("sum_positive", 2, "(numbers: list[int]) -> int", "returns the sum of the positive numbers in a list.",
      "return sum(n for n in numbers if n > 0)",
      "int sum = 0;\nfor (int n : numbers) {\n    if (n > 0) {\n        sum += n;\n    }\n}\nreturn sum;", L())
T.add("sum_even", 2, "(numbers: list[int]) -> int", "returns the sum of the even numbers in a list.",
      "return sum(n for n in numbers if n % 2 == 0)",
      "int sum = 0;\nfor (int n : numbers) {\n    if (n % 2 == 0) {\n        sum += n;\n    }\n}\nreturn sum;", L())
T.add("sum_above", 2, "(numbers: list[int], limit: int) -> int", "returns the sum of the numbers in a list that are greater than limit.",
      "return sum(n for n in numbers if n > limit)",
      "int sum = 0;\nfor (int n : numbers) {\n    if (n > limit) {\n        sum += n;\n    }\n}\nreturn sum;", L(-9, 9), I(-9, 9))

T.family("list_extreme")
T.add("max_element", 2, "(values: list[int]) -> int", "returns the largest element of a non-empty list.",
      "return max(values)", "return *std::max_element(values.begin(), values.end());", L(-50, 50, 1, 7))
T.add("min_element", 2, "(values: list[int]) -> int", "returns the smallest element of a non-empty list.",
      "return min(values)", "return *std::min_element(values.begin(), values.end());", L(-50, 50, 1, 7))

T.family("clamp")
T.add("clamp", 2, "(n: int, low: int, high: int) -> int", "returns n limited to the range from low to high, where low is not above high.",
      "return max(low, min(n, high))", "return std::max(low, std::min(n, high));",
      draw=lambda r: (lambda low: [between(r, -20, 20), low, low + between(r, 0, 12)])(between(r, -12, 8)))
T.add("to_percent", 2, "(n: int) -> int", "returns n, but 0 if it is negative and 100 if it is above 100.",
      "return max(0, min(n, 100))", "return std::max(0, std::min(n, 100));", I(-150, 250))
T.add("at_least_zero", 2, "(n: int) -> int", "returns n, but 0 if it is negative.", "return max(n, 0)", "return std::max(n, 0);", I(-200, 200))

T.family("product_loop")
T.add("product_of_list", 2, "(factors: list[int]) -> int", "returns the product of a list of integers, 1 for an empty list.",
      "result = 1\nfor f in factors:\n    result *= f\nreturn result",
      "int result = 1;\nfor (int f : factors) {\n    result *= f;\n}\nreturn result;", L(-7, 7, 0, 5))
T.add("product_between", 2, "(first: int, last: int) -> int", "returns the product of the integers from first to last, 1 if there are none.",
      "result = 1\nfor i in range(first, last + 1):\n    result *= i\nreturn result",
      "int result = 1;\nfor (int i = first; i <= last; i++) {\n    result *= i;\n}\nreturn result;",
      draw=lambda r: (lambda a: [a, a + between(r, -1, 4)])(between(r, -8, 60)))

T.family("sum_of_range")
T.add("sum_of_squares_to", 2, "(n: int) -> int", "returns the sum of the squares of the integers from 1 to n.",
      "total = 0\nfor i in range(1, n + 1):\n    total += i * i\nreturn total",
      "int total = 0;\nfor (int i = 1; i <= n; i++) {\n    total += i * i;\n}\nreturn total;", I(0, 260))
T.add("sum_between", 2, "(low: int, high: int) -> int", "returns the sum of the integers from low up to and including high, 0 if there are none.",
      "total = 0\nfor i in range(low, high + 1):\n    total += i\nreturn total",
      "int total = 0;\nfor (int i = low; i <= high; i++) {\n    total += i;\n}\nreturn total;", I(-20, 20), I(-10, 30))

T.family("digits")
T.add("sum_digits", 2, "(n: int) -> int", "returns the sum of the decimal digits of a non-negative integer.",
      "total = 0\nwhile n > 0:\n    total += n % 10\n    n //= 10\nreturn total",
      "int total = 0;\nwhile (n > 0) {\n    total += n % 10;\n    n /= 10;\n}\nreturn total;", I(0, 5000))
T.add("count_digits", 2, "(n: int) -> int", "returns the number of decimal digits of a non-negative integer.",
      "return len(str(n))", "return std::to_string(n).size();",
      draw=lambda r: [between(r, 0, 10 ** between(r, 1, 7))])

T.family("count_kind")
T.add("count_vowels", 2, "(text: str) -> int", "returns the number of vowels (a, e, i, o, u) in a lower-case text.",
      'return sum(1 for c in text if c in "aeiou")',
      "int count = 0;\nfor (char c : text) {\n    if (std::string(\"aeiou\").find(c) != std::string::npos) {\n        count++;\n    }\n}\nreturn count;", S(0, 10, VOWELED))
T.add("count_uppercase", 2, "(text: str) -> int", "returns the number of upper-case letters in a text.",
      "return sum(1 for c in text if c.isupper())",
      "int count = 0;\nfor (char c : text) {\n    if (std::isupper(c)) {\n        count++;\n    }\n}\nreturn count;", S(0, 10, MIXED))

T.family("map_number")
T.add("double_all", 2, "(numbers: list[int]) -> list[int]", "returns a list with every number doubled.",
      "return [n * 2 for n in numbers]", "std::vector<int> result;\nfor (int n : numbers) {\n    result.push_back(n * 2);\n}\nreturn result;", L(-30, 30, 0, 7))
T.add("square_all", 2, "(numbers: list[int]) -> list[int]", "returns a list with every number squared.",
      "return [n * n for n in numbers]", "std::vector<int> result;\nfor (int n : numbers) {\n    result.push_back(n * n);\n}\nreturn result;", L(-30, 30, 0, 7))
T.add("negate_all", 2, "(numbers: list[int]) -> list[int]", "returns a list with the sign of every number changed.",
      "return [-n for n in numbers]", "std::vector<int> result;\nfor (int n : numbers) {\n    result.push_back(-n);\n}\nreturn result;", L(-30, 30, 0, 7))
T.add("add_to_all", 2, "(numbers: list[int], amount: int) -> list[int]", "returns a list with the amount added to every number.",
      "return [n + amount for n in numbers]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    result.push_back(n + amount);\n}\nreturn result;", L(-30, 30, 0, 6), I(-20, 20))

T.family("keep_numbers")
T.add("keep_positive", 2, "(numbers: list[int]) -> list[int]", "returns the list of the numbers that are greater than zero, in order.",
      "return [n for n in numbers if n > 0]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    if (n > 0) {\n        result.push_back(n);\n    }\n}\nreturn result;", L(-9, 9, 0, 8))
T.add("keep_even", 2, "(numbers: list[int]) -> list[int]", "returns the list of the even numbers, in order.",
      "return [n for n in numbers if n % 2 == 0]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    if (n % 2 == 0) {\n        result.push_back(n);\n    }\n}\nreturn result;", L(-9, 9, 0, 8))
T.add("remove_zeros", 2, "(numbers: list[int]) -> list[int]", "returns the list of the numbers that are not zero, in order.",
      "return [n for n in numbers if n != 0]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    if (n != 0) {\n        result.push_back(n);\n    }\n}\nreturn result;", L(-2, 2, 0, 8))

T.family("all_or_any")
T.add("all_positive", 2, "(values: list[int]) -> bool", "returns whether all values in a list are greater than zero.",
      "return all(v > 0 for v in values)",
      "for (int v : values) {\n    if (v <= 0) {\n        return false;\n    }\n}\nreturn true;", L(-1, 7, 0, 6))
T.add("any_negative", 2, "(values: list[int]) -> bool", "returns whether at least one value in a list is less than zero.",
      "return any(v < 0 for v in values)",
      "for (int v : values) {\n    if (v < 0) {\n        return true;\n    }\n}\nreturn false;", L(-1, 5, 0, 7))
T.add("all_even", 2, "(values: list[int]) -> bool", "returns whether all values in a list are even.",
      "return all(v % 2 == 0 for v in values)",
      "for (int v : values) {\n    if (v % 2 != 0) {\n        return false;\n    }\n}\nreturn true;",
      draw=lambda r: [[between(r, -5, 5) * 2 + (1 if below(r, 6) == 0 else 0) for _ in range(below(r, 7))]])

T.family("palindrome")
T.add("is_palindrome", 2, "(text: str) -> bool", "returns whether a text reads the same forwards and backwards.",
      "return text == text[::-1]", "return text == std::string(text.rbegin(), text.rend());",
      draw=lambda r: (lambda s: [pick(r, [s, s + s[::-1], s + s[::-1][1:]])])("".join(pick(r, "abc") for _ in range(between(r, 0, 5)))))

T.family("prime")
T.add("is_prime", 2, "(n: int) -> bool", "returns whether an integer is a prime number.",
      "if n < 2:\n    return False\nfor d in range(2, n):\n    if n % d == 0:\n        return False\nreturn True",
      "for (int d = 2; d < n; d++) {\n    if (n % d == 0) {\n        return false;\n    }\n}\nreturn n > 1;", I(0, 500))

T.family("gcd")
T.add("gcd", 2, "(a: int, b: int) -> int", "returns the greatest common divisor of two positive integers.",
      "while b != 0:\n    a, b = b, a % b\nreturn a", "return std::gcd(a, b);",
      draw=lambda r: (lambda g: [g * between(r, 1, 12), g * between(r, 1, 12)])(between(r, 1, 12)))

T.family("power_loop")
T.add("power", 2, "(base: int, exponent: int) -> int", "returns base raised to a non-negative exponent.",
      "result = 1\nfor i in range(exponent):\n    result *= base\nreturn result",
      "int result = 1;\nfor (int i = 0; i < exponent; i++) {\n    result *= base;\n}\nreturn result;", I(-25, 25), I(0, 5))
T.add("double_times", 2, "(value: int, times: int) -> int", "returns the value after it has been doubled the given number of times.",
      "for i in range(times):\n    value *= 2\nreturn value",
      "for (int i = 0; i < times; i++) {\n    value *= 2;\n}\nreturn value;", I(-60, 60), I(0, 10))

T.family("number_to_text")
T.add("number_to_text", 2, "(n: int) -> str", "returns an integer as text.", "return str(n)", "return std::to_string(n);", I(-400, 400))
T.add("with_percent_sign", 2, "(n: int) -> str", "returns an integer as text followed by \"%\".", 'return str(n) + "%"', 'return std::to_string(n) + "%";', I(-400, 400))

T.family("leap_year")
T.add("is_leap_year", 2, "(year: int) -> bool", "returns whether a year is a leap year: divisible by 4 but not by 100, or divisible by 400.",
      "return year % 4 == 0 and year % 100 != 0 or year % 400 == 0",
      "return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;",
      draw=lambda r: [pick(r, [between(r, 1, 2500), between(r, 1, 600) * 4, between(r, 1, 625) * 4, between(r, 1, 25) * 100, between(r, 1, 6) * 400])])

T.family("running_sum")
T.add("running_sum", 2, "(numbers: list[int]) -> list[int]", "returns the list of the sums of the first 1, 2, 3 and so on elements.",
      "total = 0\nsums = []\nfor n in numbers:\n    total += n\n    sums.append(total)\nreturn sums",
      "int total = 0;\nstd::vector<int> sums;\nfor (int n : numbers) {\n    total += n;\n    sums.push_back(total);\n}\nreturn sums;", L(-20, 20, 0, 7))

T.family("sort")
T.add("sort_ascending", 2, "(items: list[int]) -> list[int]", "returns a copy of a list sorted from smallest to largest.",
      "return sorted(items)", "std::vector<int> result = items;\nstd::sort(result.begin(), result.end());\nreturn result;", L(-20, 20, 0, 7))
T.add("sort_descending", 2, "(items: list[int]) -> list[int]", "returns a copy of a list sorted from largest to smallest.",
      "return sorted(items, reverse=True)", "std::vector<int> result = items;\nstd::sort(result.rbegin(), result.rend());\nreturn result;", L(-20, 20, 0, 7))

T.family("erase_letter")
T.add("remove_spaces", 2, "(text: str) -> str", "returns the text without its spaces.",
      'return text.replace(" ", "")',
      "std::string result;\nfor (char c : text) {\n    if (c != ' ') {\n        result += c;\n    }\n}\nreturn result;", S(0, 10, "ab c d"))
T.add("replace_spaces", 2, "(text: str) -> str", "returns the text with every space replaced by an underscore \"_\".",
      'return text.replace(" ", "_")',
      "std::string result = text;\nfor (char& c : result) {\n    if (c == ' ') {\n        c = '_';\n    }\n}\nreturn result;", S(0, 10, "ab c d"))

T.family("first_elements")
T.add("first_n", 2, "(items: list[int], n: int) -> list[int]", "returns the first n elements of a list that has at least n elements.",
      "return items[:n]", "return std::vector<int>(items.begin(), items.begin() + n);",
      draw=lambda r: (lambda v: [v, below(r, len(v) + 1)])([between(r, -20, 20) for _ in range(below(r, 8))]))
