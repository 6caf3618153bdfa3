"""Functions that settings are chosen on."""

from inputs import F, I, L, LS, S, Tasks, below, between, phrase

T = Tasks("dev")

T.family("from_constant")
T.add("remaining_percent", 1, "(used: int) -> int", "returns 100 minus the used percentage.", "return 100 - used", "return 100 - used;", I(-200, 200))
T.add("supplement_angle", 1, "(angle: int) -> int", "returns 180 minus the angle.", "return 180 - angle", "return 180 - angle;", I(-200, 200))

T.family("exactly_one")
T.add("exactly_one_positive", 1, "(a: int, b: int) -> bool", "returns whether exactly one of two integers is greater than zero.",
      "return (a > 0) != (b > 0)", "return (a > 0) != (b > 0);", I(-15, 15), I(-15, 15))
T.add("same_parity", 1, "(a: int, b: int) -> bool", "returns whether two non-negative integers are both even or both odd.",
      "return a % 2 == b % 2", "return a % 2 == b % 2;", I(0, 60), I(0, 60))

T.family("mean_of_two")
T.add("average_of_two", 1, "(a: float, b: float) -> float", "returns the average of two numbers.",
      "return (a + b) / 2", "return (a + b) / 2;", F(), F())

T.family("length_compare")
T.add("same_length", 1, "(first: str, second: str) -> bool", "returns whether two texts have the same length.",
      "return len(first) == len(second)", "return first.size() == second.size();", S(0, 4), S(0, 4))
T.add("is_longer_than", 1, "(text: str, limit: int) -> bool", "returns whether a text has more than limit characters.",
      "return len(text) > limit", "return static_cast<int>(text.size()) > limit;", S(0, 10), I(0, 8))

T.family("append")
T.add("append_number", 1, "(numbers: list[int], value: int) -> list[int]", "returns a new list with the value added at the end.",
      "return numbers + [value]", "std::vector<int> result = numbers;\nresult.push_back(value);\nreturn result;", L(-20, 20, 0, 6), I(-20, 20))
T.add("prepend_number", 1, "(numbers: list[int], value: int) -> list[int]", "returns a new list with the value added at the front.",
      "return [value] + numbers", "std::vector<int> result = {value};\nresult.insert(result.end(), numbers.begin(), numbers.end());\nreturn result;",
      L(-20, 20, 0, 6), I(-20, 20))

T.family("ratio")
T.add("speed", 1, "(distance: float, hours: float) -> float", "returns the distance divided by the hours.",
      "return distance / hours", "return distance / hours;", F(0, 90, 0.5), F(0.5, 8, 0.5))

T.family("index_of")
T.add("index_of", 2, "(values: list[int], target: int) -> int", "returns the index of the first value equal to target, or -1 if there is none.",
      "for i in range(len(values)):\n    if values[i] == target:\n        return i\nreturn -1",
      "for (int i = 0; i < values.size(); i++) {\n    if (values[i] == target) {\n        return i;\n    }\n}\nreturn -1;",
      L(-3, 3, 0, 7), I(-4, 4))

T.family("pairwise")
T.add("dot_product", 2, "(a: list[int], b: list[int]) -> int", "returns the sum of the products of the elements at equal positions in two lists of the same length.",
      "total = 0\nfor i in range(len(a)):\n    total += a[i] * b[i]\nreturn total",
      "int total = 0;\nfor (int i = 0; i < a.size(); i++) {\n    total += a[i] * b[i];\n}\nreturn total;",
      draw=lambda r: (lambda n: [[between(r, -9, 9) for _ in range(n)], [between(r, -9, 9) for _ in range(n)]])(below(r, 6)))
T.add("add_lists", 2, "(a: list[int], b: list[int]) -> list[int]", "returns the list of sums of the elements at equal positions in two lists of the same length.",
      "return [a[i] + b[i] for i in range(len(a))]",
      "std::vector<int> sums = a;\nfor (int i = 0; i < b.size(); i++) sums[i] += b[i];\nreturn sums;",
      draw=lambda r: (lambda n: [[between(r, -30, 30) for _ in range(n)], [between(r, -30, 30) for _ in range(n)]])(below(r, 6)))

T.family("every_second")
T.add("every_second", 2, "(items: list[int]) -> list[int]", "returns every second element of a list, starting with the first.",
      "return items[::2]", "std::vector<int> kept;\nfor (int i = 0; i < items.size(); i += 2) {\n    kept.push_back(items[i]);\n}\nreturn kept;", L(-20, 20, 0, 9))

T.family("fizz")
T.add("fizz_or_number", 2, "(n: int) -> str", "returns \"fizz\" if a positive integer is divisible by 3, otherwise the integer as text.",
      'if n % 3 == 0:\n    return "fizz"\nreturn str(n)', 'if (n % 3 == 0) {\n    return "fizz";\n}\nreturn std::to_string(n);', I(1, 500))

T.family("bulk_price")
T.add("bulk_price", 2, "(price: int, quantity: int) -> int", "returns price times quantity, less 5 if the quantity is at least 10.",
      "total = price * quantity\nif quantity >= 10:\n    total -= 5\nreturn total",
      "int total = price * quantity;\nif (quantity >= 10) {\n    total -= 5;\n}\nreturn total;", I(1, 40), I(1, 20))

T.family("count_words")
T.add("count_words", 2, "(sentence: str) -> int", "returns the number of words in a sentence whose words are separated by single spaces.",
      "return len(sentence.split(\" \"))", "return std::count(sentence.begin(), sentence.end(), ' ') + 1;", phrase(1, 7))

T.family("sign")
T.add("sign_of", 2, "(number: int) -> int", "returns 1 for a positive integer, -1 for a negative one and 0 for zero.",
      "if number > 0:\n    return 1\nif number < 0:\n    return -1\nreturn 0",
      "if (number > 0) {\n    return 1;\n}\nif (number < 0) {\n    return -1;\n}\nreturn 0;", I(-200, 200))

T.family("longest_length")
T.add("longest_length", 2, "(words: list[str]) -> int", "returns the length of the longest word in a list, 0 for an empty list.",
      "longest = 0\nfor word in words:\n    longest = max(longest, len(word))\nreturn longest",
      "int longest = 0;\nfor (const auto& word : words) {\n    longest = std::max(longest, static_cast<int>(word.size()));\n}\nreturn longest;", LS())

T.family("is_sorted")
T.add("is_sorted", 2, "(values: list[int]) -> bool", "returns whether a list is in ascending order, equal neighbours allowed.",
      "return values == sorted(values)", "return std::is_sorted(values.begin(), values.end());",
      draw=lambda r: (lambda v: [sorted(v) if below(r, 2) else v])([between(r, -9, 9) for _ in range(between(r, 0, 6))]))
