"""Held-out functions, small half: never trained on, never used to choose a setting."""

from inputs import I, L, LB, LF, LL, LS, S, Tasks, below, between, pick

T = Tasks("test")

T.family("extreme_of_three")
T.add("max_of_three", 2, "(a: int, b: int, c: int) -> int", "returns the largest of three integers.",
      "return max(a, b, c)", "return std::max({a, b, c});", I(-30, 30), I(-30, 30), I(-30, 30))
T.add("min_of_three", 2, "(a: int, b: int, c: int) -> int", "returns the smallest of three integers.",
      "return min(a, b, c)", "return std::min({a, b, c});", I(-30, 30), I(-30, 30), I(-30, 30))

T.family("average_list")
T.add("average", 2, "(scores: list[float]) -> float", "returns the average of a non-empty list of numbers.",
      "return sum(scores) / len(scores)",
      "double sum = 0;\nfor (double score : scores) {\n    sum += score;\n}\nreturn sum / scores.size();", LF(-20, 20, 1, 6))

T.family("spread")
T.add("spread", 2, "(values: list[int]) -> int", "returns the largest minus the smallest value of a non-empty list.",
      "return max(values) - min(values)",
      "return *std::max_element(values.begin(), values.end()) - *std::min_element(values.begin(), values.end());", L(-30, 30, 1, 7))

T.family("compare_neighbours")
T.add("count_increases", 2, "(levels: list[int]) -> int", "returns how many elements of a list are greater than the element just before them.",
      "count = 0\nfor i in range(1, len(levels)):\n    if levels[i] > levels[i - 1]:\n        count += 1\nreturn count",
      "int count = 0;\nfor (int i = 1; i < levels.size(); i++) {\n    if (levels[i] > levels[i - 1]) {\n        count++;\n    }\n}\nreturn count;", L(-5, 5, 0, 9))
T.add("has_equal_neighbours", 2, "(levels: list[int]) -> bool", "returns whether two neighbouring elements of a list are equal.",
      "for i in range(1, len(levels)):\n    if levels[i] == levels[i - 1]:\n        return True\nreturn False",
      "for (int i = 1; i < levels.size(); i++) {\n    if (levels[i] == levels[i - 1]) {\n        return true;\n    }\n}\nreturn false;", L(-3, 3, 0, 7))

T.family("words_by_length")
T.add("word_lengths", 2, "(words: list[str]) -> list[int]", "returns the list of the lengths of the words.",
      "return [len(word) for word in words]",
      "std::vector<int> lengths;\nfor (const auto& word : words) {\n    lengths.push_back(word.size());\n}\nreturn lengths;", LS())
T.add("short_words", 2, "(words: list[str]) -> list[str]", "returns the list of the words with at most three letters, in order.",
      "return [word for word in words if len(word) <= 3]",
      "std::vector<std::string> result;\nfor (const auto& word : words) {\n    if (word.size() <= 3) result.push_back(word);\n}\nreturn result;", LS(0, 7))

T.family("join_list")
T.add("join_words", 2, "(words: list[str]) -> str", "returns all words of a list joined together without spaces.",
      'return "".join(words)', "std::string joined;\nfor (const auto& word : words) {\n    joined += word;\n}\nreturn joined;", LS())
T.add("initials", 2, "(words: list[str]) -> str", "returns the first letters of all words of a list as one text.",
      'return "".join(word[0] for word in words)',
      "std::string letters;\nfor (const auto& word : words) {\n    letters += word[0];\n}\nreturn letters;", LS(0, 7))

T.family("flags")
T.add("count_true", 2, "(flags: list[bool]) -> int", "returns how many flags in a list are true.",
      "return sum(1 for flag in flags if flag)",
      "int count = 0;\nfor (bool flag : flags) {\n    if (flag) {\n        count++;\n    }\n}\nreturn count;", LB(0, 12))
T.add("flip_flags", 2, "(flags: list[bool]) -> list[bool]", "returns a list with every flag turned into its opposite.",
      "return [not flag for flag in flags]",
      "std::vector<bool> flipped;\nfor (bool flag : flags) {\n    flipped.push_back(!flag);\n}\nreturn flipped;", LB(0, 12))

T.family("text_ends")
T.add("has_prefix", 2, "(text: str, prefix: str) -> bool", "returns whether a text starts with a prefix.",
      "return text.startswith(prefix)", "return text.substr(0, prefix.size()) == prefix;",
      draw=lambda r: (lambda s: [s, s[:below(r, 4)] if below(r, 2) else "".join(pick(r, "abc") for _ in range(between(r, 1, 3)))])("".join(pick(r, "abc") for _ in range(below(r, 8)))))
T.add("ends_with_letter", 2, "(word: str, letter: str) -> bool", "returns whether a non-empty word ends with a letter.",
      "return word.endswith(letter)", "return word.back() == letter[0];", S(1, 7, "abcd"), S(1, 1, "abcd"))

T.family("trim_text")
T.add("without_first", 2, "(text: str) -> str", "returns a non-empty text without its first character.",
      "return text[1:]", "return text.substr(1);", S(1, 9))
T.add("without_ends", 2, "(text: str) -> str", "returns a text of at least two characters without its first and last character.",
      "return text[1:-1]", "return text.substr(1, text.size() - 2);", S(2, 9))

T.family("rearrange")
T.add("swap_ends", 2, "(items: list[int]) -> list[int]", "returns a copy of a non-empty list with its first and last element swapped.",
      "result = items[:]\nresult[0], result[-1] = result[-1], result[0]\nreturn result",
      "std::vector<int> result = items;\nstd::swap(result.front(), result.back());\nreturn result;", L(-20, 20, 1, 6))
T.add("first_to_end", 2, "(items: list[int]) -> list[int]", "returns a non-empty list with its first element moved to the end.",
      "return items[1:] + items[:1]",
      "std::vector<int> result(items.begin() + 1, items.end());\nresult.push_back(items[0]);\nreturn result;", L(-20, 20, 1, 6))

T.family("halve_or_grow")
T.add("collatz_step", 2, "(n: int) -> int", "returns n divided by 2 if the positive integer n is even, otherwise 3 times n plus 1.",
      "if n % 2 == 0:\n    return n // 2\nreturn 3 * n + 1", "if (n % 2 == 0) {\n    return n / 2;\n}\nreturn 3 * n + 1;", I(1, 500))

T.family("halvings")
T.add("count_halvings", 2, "(n: int) -> int", "returns how many times a positive integer can be halved, rounding down, until it is 1.",
      "steps = 0\nwhile n > 1:\n    n //= 2\n    steps += 1\nreturn steps",
      "int steps = 0;\nwhile (n > 1) {\n    n /= 2;\n    steps++;\n}\nreturn steps;", draw=lambda r: [between(r, 1, 2 ** between(r, 2, 20))])

T.family("divisors")
T.add("count_divisors", 2, "(n: int) -> int", "returns how many integers from 1 to n divide the positive integer n.",
      "count = 0\nfor d in range(1, n + 1):\n    if n % d == 0:\n        count += 1\nreturn count",
      "int count = 0;\nfor (int d = 1; d <= n; d++) {\n    if (n % d == 0) {\n        count++;\n    }\n}\nreturn count;", I(1, 400))
T.add("smallest_divisor", 2, "(n: int) -> int", "returns the smallest integer greater than 1 that divides n, for n of at least 2.",
      "d = 2\nwhile n % d != 0:\n    d += 1\nreturn d", "int d = 2;\nwhile (n % d != 0) {\n    d++;\n}\nreturn d;", I(2, 600))

T.family("alternating")
T.add("alternating_sum", 2, "(terms: list[int]) -> int", "returns the first element minus the second plus the third and so on, 0 for an empty list.",
      "result = 0\nfor i in range(len(terms)):\n    result += terms[i] if i % 2 == 0 else -terms[i]\nreturn result",
      "int result = 0;\nfor (int i = 0; i < terms.size(); i++) {\n    result += i % 2 == 0 ? terms[i] : -terms[i];\n}\nreturn result;", L(-20, 20, 0, 7))

T.family("nested_lists")
T.add("sum_of_rows", 2, "(rows: list[list[int]]) -> int", "returns the sum of all integers in a list of lists.",
      "return sum(sum(row) for row in rows)",
      "int sum = 0;\nfor (const auto& row : rows) {\n    for (int x : row) {\n        sum += x;\n    }\n}\nreturn sum;", LL())
T.add("row_sizes", 2, "(rows: list[list[int]]) -> list[int]", "returns the list of the lengths of the inner lists.",
      "return [len(row) for row in rows]",
      "std::vector<int> sizes;\nfor (const auto& row : rows) {\n    sizes.push_back(row.size());\n}\nreturn sizes;", LL())

T.family("perfect_square")
T.add("is_perfect_square", 2, "(n: int) -> bool", "returns whether a non-negative integer is the square of an integer.",
      "root = 0\nwhile root * root < n:\n    root += 1\nreturn root * root == n",
      "int root = 0;\nwhile (root * root < n) {\n    root++;\n}\nreturn root * root == n;",
      draw=lambda r: [(lambda k: k * k)(between(r, 0, 130)) if below(r, 2) else between(r, 0, 2000)])

T.family("triangle_test")
T.add("is_triangle", 2, "(a: int, b: int, c: int) -> bool", "returns whether each of three positive sides is shorter than the other two together.",
      "return a < b + c and b < a + c and c < a + b", "return a < b + c && b < a + c && c < a + b;", I(1, 16), I(1, 16), I(1, 16))

T.family("longer_text")
T.add("longer_text", 2, "(first: str, second: str) -> str", "returns the longer of two texts, the first if they are equally long.",
      "if len(second) > len(first):\n    return second\nreturn first",
      "if (second.size() > first.size()) {\n    return second;\n}\nreturn first;", S(0, 7), S(0, 7))

T.family("grade_letter")
T.add("grade_letter", 2, "(points: int) -> str", "returns \"A\" for 90 points or more, \"B\" for 70 points or more, otherwise \"C\".",
      'if points >= 90:\n    return "A"\nif points >= 70:\n    return "B"\nreturn "C"',
      'if (points >= 90) {\n    return "A";\n}\nif (points >= 70) {\n    return "B";\n}\nreturn "C";', I(0, 250))

T.family("distance")
T.add("absolute_difference", 2, "(a: int, b: int) -> int", "returns the distance between two integers, never negative.",
      "return abs(a - b)", "return std::abs(a - b);", I(-60, 60), I(-60, 60))
