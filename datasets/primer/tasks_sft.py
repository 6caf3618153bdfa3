"""Functions that only demonstrations are made from."""

from inputs import I, L, LF, LOWER, S, Tasks, below, between, pick

T = Tasks("sft")

T.family("add_numbers")
T.add("add", 1, "(a: int, b: int) -> int", "returns the sum of two integers.", "return a + b", "return a + b;", I(), I())
T.add("add_three", 1, "(a: int, b: int, c: int) -> int", "returns the sum of three integers.",
      "return a + b + c", "return a + b + c;", I(), I(), I())

T.family("scale_number")
T.add("double_number", 1, "(n: int) -> int", "returns an integer multiplied by two.", "return n * 2", "return n * 2;", I(-999, 999))
T.add("triple_number", 1, "(n: int) -> int", "returns an integer multiplied by three.", "return n * 3", "return n * 3;", I(-999, 999))

T.family("greeting")
T.add("greet", 1, "(name: str) -> str", "returns \"Hello, \" followed by the name.",
      'return "Hello, " + name', 'return "Hello, " + name;', S(1, 8))
T.add("say_goodbye", 1, "(name: str) -> str", "returns \"Goodbye, \" followed by the name.",
      'return "Goodbye, " + name', 'return "Goodbye, " + name;', S(1, 8))

T.family("letter_case")
T.add("to_uppercase", 1, "(text: str) -> str", "returns the text with all letters in upper case.",
      "return text.upper()",
      "std::string result = text;\nfor (char& c : result) {\n    c = std::toupper(c);\n}\nreturn result;", S(0, 10, "abcXYZ de1"))
T.add("to_lowercase", 1, "(text: str) -> str", "returns the text with all letters in lower case.",
      "return text.lower()",
      "std::string result = text;\nfor (char& c : result) {\n    c = std::tolower(c);\n}\nreturn result;", S(0, 10, "abcXYZ DE1"))

T.family("list_head")
T.add("first_item", 1, "(items: list[int]) -> int", "returns the first element of a non-empty list.",
      "return items[0]", "return items[0];", L(-50, 50, 1, 6))
T.add("second_item", 1, "(items: list[int]) -> int", "returns the second element of a list with at least two elements.",
      "return items[1]", "return items[1];", L(-50, 50, 2, 6))

T.family("two_conditions")
T.add("both_positive", 1, "(a: int, b: int) -> bool", "returns whether two integers are both greater than zero.",
      "return a > 0 and b > 0", "return a > 0 && b > 0;", I(-15, 15), I(-15, 15))
T.add("either_is_ten", 1, "(a: int, b: int) -> bool", "returns whether at least one of two integers is ten.",
      "return a == 10 or b == 10", "return a == 10 || b == 10;",
      draw=lambda r: pick(r, [[10, between(r, -60, 60)], [between(r, -60, 60), 10], [between(r, -60, 60), between(r, -60, 60)]]))

T.family("fixed_threshold")
T.add("is_adult", 1, "(age: int) -> bool", "returns whether an age is at least 18.",
      "return age >= 18", "return age >= 18;", draw=lambda r: [between(r, 0, 40) if below(r, 2) else between(r, 0, 260)])
T.add("is_freezing", 1, "(temperature: int) -> bool", "returns whether a temperature is zero or below.",
      "return temperature <= 0", "return temperature <= 0;", I(-200, 200))

T.family("time_scale")
T.add("minutes_to_seconds", 1, "(minutes: int) -> int", "returns the number of seconds in the given minutes.",
      "return minutes * 60", "return minutes * 60;", I(0, 500))
T.add("weeks_to_days", 1, "(weeks: int) -> int", "returns the number of days in the given weeks.",
      "return weeks * 7", "return weeks * 7;", I(0, 500))

T.family("parity")
T.add("is_even", 1, "(n: int) -> bool", "returns whether an integer is even.", "return n % 2 == 0", "return n % 2 == 0;", I(-200, 200))
T.add("is_odd", 1, "(n: int) -> bool", "returns whether an integer is odd.", "return n % 2 != 0", "return n % 2 != 0;", I(-200, 200))
T.add("is_divisible", 2, "(n: int, divisor: int) -> bool",
      "returns whether an integer is divisible by a positive divisor.", "return n % divisor == 0", "return n % divisor == 0;",
      I(-60, 60), I(1, 7))

T.family("count_all")
T.add("count_items", 1, "(items: list[int]) -> int", "returns the number of elements in a list.",
      "return len(items)", "return items.size();", L(-9, 9, 0, 12))
T.add("text_length", 1, "(text: str) -> int", "returns the number of characters in a text.",
      "return len(text)", "return text.size();", S(0, 16, LOWER + " "))

T.family("sum_list")
T.add("sum_list", 2, "(numbers: list[int]) -> int", "returns the sum of a list of integers.",
      "total = 0\nfor n in numbers:\n    total += n\nreturn total",
      "int total = 0;\nfor (int n : numbers) {\n    total += n;\n}\nreturn total;", L())
T.add("total_price", 2, "(prices: list[float]) -> float", "returns the sum of a list of prices, 0.0 for an empty list.",
      "total = 0.0\nfor price in prices:\n    total += price\nreturn total",
      "double total = 0.0;\nfor (double price : prices) {\n    total += price;\n}\nreturn total;", LF(0, 30, 0, 7))

T.family("larger_of_two")
T.add("max_of_two", 2, "(a: int, b: int) -> int", "returns the larger of two integers.",
      "if a > b:\n    return a\nreturn b", "if (a > b) {\n    return a;\n}\nreturn b;", I(-40, 40), I(-40, 40))
T.add("min_of_two", 2, "(a: int, b: int) -> int", "returns the smaller of two integers.",
      "if a < b:\n    return a\nreturn b", "if (a < b) {\n    return a;\n}\nreturn b;", I(-40, 40), I(-40, 40))

T.family("count_by_sign")
T.add("count_positive", 2, "(numbers: list[int]) -> int", "returns how many numbers in a list are greater than zero.",
      "count = 0\nfor n in numbers:\n    if n > 0:\n        count += 1\nreturn count",
      "int count = 0;\nfor (int n : numbers) {\n    if (n > 0) {\n        count++;\n    }\n}\nreturn count;", L(-6, 6, 0, 9))
T.add("count_negative", 2, "(values: list[int]) -> int", "returns how many values in a list are less than zero.",
      "count = 0\nfor v in values:\n    if v < 0:\n        count += 1\nreturn count",
      "int count = 0;\nfor (int v : values) {\n    if (v < 0) {\n        count++;\n    }\n}\nreturn count;", L(-6, 6, 0, 9))

T.family("build_list")
T.add("make_pair_list", 2, "(a: int, b: int) -> list[int]", "returns a list that holds the two given integers in order.",
      "return [a, b]", "return {a, b};", I(), I())
T.add("repeat_number", 2, "(value: int, count: int) -> list[int]", "returns a list with the value repeated count times.",
      "result = []\nfor i in range(count):\n    result.append(value)\nreturn result",
      "std::vector<int> result;\nfor (int i = 0; i < count; i++) {\n    result.push_back(value);\n}\nreturn result;", I(-40, 40), I(0, 7))

T.family("repeat_char")
T.add("repeat_letter", 2, "(letter: str, count: int) -> str", "returns the letter repeated count times.",
      'result = ""\nfor i in range(count):\n    result += letter\nreturn result',
      'std::string result;\nfor (int i = 0; i < count; i++) {\n    result += letter;\n}\nreturn result;', S(1, 1), I(0, 12))
T.add("underline", 2, "(title: str) -> str", "returns as many dashes \"-\" as the title has characters.",
      'return "-" * len(title)', "return std::string(title.size(), '-');", S(0, 14, LOWER + " "))

T.family("number_range")
T.add("numbers_between", 2, "(first: int, last: int) -> list[int]", "returns the list of integers from first up to and including last.",
      "return list(range(first, last + 1))",
      "std::vector<int> result;\nfor (int i = first; i <= last; i++) {\n    result.push_back(i);\n}\nreturn result;", I(-9, 9), I(-6, 15))
T.add("countdown", 2, "(start: int, stop: int) -> list[int]", "returns the list of integers from start down to and including stop.",
      "return list(range(start, stop - 1, -1))",
      "std::vector<int> result;\nfor (int i = start; i >= stop; i--) {\n    result.push_back(i);\n}\nreturn result;", I(-6, 15), I(-9, 9))

T.family("reverse")
T.add("reverse_text", 2, "(text: str) -> str", "returns the text reversed.",
      "return text[::-1]", "return std::string(text.rbegin(), text.rend());", S(0, 9))
T.add("reverse_list", 2, "(items: list[int]) -> list[int]", "returns a new list with the elements in reverse order.",
      "return items[::-1]", "return std::vector<int>(items.rbegin(), items.rend());", L(-20, 20, 0, 7))

T.family("count_character")
T.add("count_letter", 2, "(text: str, letter: str) -> int", "returns how often a letter occurs in a text.",
      "return text.count(letter)",
      "int count = 0;\nfor (char c : text) {\n    if (c == letter[0]) {\n        count++;\n    }\n}\nreturn count;",
      S(0, 12, "abc"), S(1, 1, "abc"))
T.add("count_spaces", 2, "(sentence: str) -> int", "returns the number of spaces in a sentence.",
      'return sentence.count(" ")',
      "int count = 0;\nfor (char c : sentence) {\n    if (c == ' ') {\n        count++;\n    }\n}\nreturn count;", S(0, 14, "ab xy "))

T.family("two_words")
T.add("pass_or_fail", 2, "(score: int) -> str", "returns \"pass\" if the score is at least 50, otherwise \"fail\".",
      'if score >= 50:\n    return "pass"\nreturn "fail"', 'if (score >= 50) {\n    return "pass";\n}\nreturn "fail";', I(-100, 200))
T.add("even_or_odd", 2, "(n: int) -> str", "returns \"even\" if an integer is even, otherwise \"odd\".",
      'if n % 2 == 0:\n    return "even"\nreturn "odd"', 'if (n % 2 == 0) {\n    return "even";\n}\nreturn "odd";', I(-200, 200))

T.family("absolute_value")
T.add("absolute_value", 2, "(n: int) -> int", "returns the absolute value of an integer.",
      "if n < 0:\n    return -n\nreturn n", "if (n < 0) {\n    return -n;\n}\nreturn n;", I(-300, 300))
