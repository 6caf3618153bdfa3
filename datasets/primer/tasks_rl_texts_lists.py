"""Functions that reinforcement learning draws prompts from: short ones over texts and lists."""

from inputs import I, L, S, Tasks

T = Tasks("rl")

T.family("text_frame")
T.add("in_parentheses", 1, "(text: str) -> str", "returns the text between \"(\" and \")\".", 'return "(" + text + ")"', 'return "(" + text + ")";', S(0, 9))
T.add("in_stars", 1, "(text: str) -> str", "returns the text with \"*\" before and after it.", 'return "*" + text + "*"', 'return "*" + text + "*";', S(0, 9))
T.add("as_tag", 1, "(name: str) -> str", "returns the name between \"<\" and \">\".", 'return "<" + name + ">"', 'return "<" + name + ">";', S(0, 9))

T.family("text_suffix")
T.add("ask", 1, "(text: str) -> str", "returns the text followed by \"?\".", 'return text + "?"', 'return text + "?";', S(0, 9))
T.add("plural", 1, "(word: str) -> str", "returns the word with \"s\" added at the end.", 'return word + "s"', 'return word + "s";', S(0, 9))
T.add("text_file_name", 1, "(name: str) -> str", "returns the name followed by \".txt\".", 'return name + ".txt"', 'return name + ".txt";', S(0, 9))
T.add("with_ing", 1, "(verb: str) -> str", "returns the verb followed by \"ing\".", 'return verb + "ing"', 'return verb + "ing";', S(0, 9))

T.family("text_order")
T.add("three_times", 1, "(text: str) -> str", "returns the text three times in a row.", "return text + text + text", "return text + text + text;", S(0, 8))
T.add("last_to_first", 1, "(a: str, b: str, c: str) -> str", "returns c, then b, then a, joined together.",
      "return c + b + a", "return c + b + a;", S(0, 5), S(0, 5), S(0, 5))
T.add("word_twice_and_ending", 1, "(word: str, ending: str) -> str", "returns the word two times, then the ending.",
      "return word + word + ending", "return word + word + ending;", S(0, 6), S(0, 6))
T.add("sandwich", 1, "(bread: str, filling: str) -> str", "returns the bread, then the filling, then the bread again.",
      "return bread + filling + bread", "return bread + filling + bread;", S(0, 6), S(0, 6))

T.family("text_tail")
T.add("last_letter", 1, "(word: str) -> str", "returns the last letter of a non-empty word.",
      "return word[-1]", "return std::string(1, word.back());", S(1, 9))
T.add("without_last_letter", 1, "(word: str) -> str", "returns a non-empty word without its last letter.",
      "return word[:-1]", "return word.substr(0, word.size() - 1);", S(1, 9))
T.add("first_three_letters", 1, "(text: str) -> str", "returns the first three letters of a text that has at least three.",
      "return text[:3]", "return text.substr(0, 3);", S(3, 9))

T.family("size_limits")
T.add("has_at_most_four", 1, "(items: list[int]) -> bool", "returns whether a list has at most four elements.",
      "return len(items) <= 4", "return items.size() <= 4;", L(-9, 9, 0, 9))
T.add("is_long_word", 1, "(word: str) -> bool", "returns whether a word has at least six letters.",
      "return len(word) >= 6", "return word.size() >= 6;", S(0, 11))
T.add("has_many_items", 1, "(items: list[int]) -> bool", "returns whether a list has more than five elements.",
      "return len(items) > 5", "return items.size() > 5;", L(-9, 9, 0, 11))

T.family("new_lists")
T.add("list_of_three", 1, "(a: int, b: int, c: int) -> list[int]", "returns a list that holds the three given integers in order.",
      "return [a, b, c]", "return {a, b, c};", I(), I(), I())
T.add("number_and_double", 1, "(n: int) -> list[int]", "returns a list with n and two times n.", "return [n, 2 * n]", "return {n, 2 * n};", I(-300, 300))
T.add("neighbours_of", 1, "(n: int) -> list[int]", "returns a list with n minus 1 and n plus 1.", "return [n - 1, n + 1]", "return {n - 1, n + 1};", I(-300, 300))
T.add("sum_and_product", 1, "(a: int, b: int) -> list[int]", "returns a list with the sum and the product of two integers.",
      "return [a + b, a * b]", "return {a + b, a * b};", I(-40, 40), I(-40, 40))
T.add("swapped_pair", 1, "(a: int, b: int) -> list[int]", "returns a list with b first and a second.", "return [b, a]", "return {b, a};", I(-60, 60), I(-60, 60))

T.family("change_all")
T.add("increase_all", 2, "(numbers: list[int]) -> list[int]", "returns a list with 1 added to every number.",
      "return [n + 1 for n in numbers]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    result.push_back(n + 1);\n}\nreturn result;", L())
T.add("triple_all", 2, "(numbers: list[int]) -> list[int]", "returns a list with every number multiplied by three.",
      "return [3 * n for n in numbers]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    result.push_back(3 * n);\n}\nreturn result;", L())
T.add("subtract_from_all", 2, "(numbers: list[int], amount: int) -> list[int]", "returns a list with the amount subtracted from every number.",
      "return [n - amount for n in numbers]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    result.push_back(n - amount);\n}\nreturn result;", L(), I(-9, 9))
T.add("multiply_all", 2, "(numbers: list[int], factor: int) -> list[int]", "returns a list with every number multiplied by the factor.",
      "return [n * factor for n in numbers]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    result.push_back(n * factor);\n}\nreturn result;", L(), I(-9, 9))

T.family("keep_some")
T.add("keep_odd", 2, "(numbers: list[int]) -> list[int]", "returns the list of the odd numbers of a list of non-negative numbers, in order.",
      "return [n for n in numbers if n % 2 == 1]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    if (n % 2 == 1) {\n        result.push_back(n);\n    }\n}\nreturn result;", L(0, 30))
T.add("keep_above", 2, "(numbers: list[int], limit: int) -> list[int]", "returns the list of the numbers that are greater than limit, in order.",
      "return [n for n in numbers if n > limit]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    if (n > limit) {\n        result.push_back(n);\n    }\n}\nreturn result;", L(-9, 9), I(-9, 9))
T.add("keep_negative", 2, "(numbers: list[int]) -> list[int]", "returns the list of the numbers that are less than zero, in order.",
      "return [n for n in numbers if n < 0]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    if (n < 0) {\n        result.push_back(n);\n    }\n}\nreturn result;", L())
T.add("remove_value", 2, "(numbers: list[int], unwanted: int) -> list[int]", "returns the list of the numbers that are not equal to unwanted, in order.",
      "return [n for n in numbers if n != unwanted]",
      "std::vector<int> result;\nfor (int n : numbers) {\n    if (n != unwanted) {\n        result.push_back(n);\n    }\n}\nreturn result;", L(-3, 3), I(-3, 3))

T.family("count_some")
T.add("count_even", 2, "(numbers: list[int]) -> int", "returns how many numbers in a list are even.",
      "return sum(1 for n in numbers if n % 2 == 0)",
      "int count = 0;\nfor (int n : numbers) {\n    if (n % 2 == 0) {\n        count++;\n    }\n}\nreturn count;", L(-20, 20, 0, 12))
T.add("count_above", 2, "(numbers: list[int], limit: int) -> int", "returns how many numbers in a list are greater than limit.",
      "return sum(1 for n in numbers if n > limit)",
      "int count = 0;\nfor (int n : numbers) {\n    if (n > limit) {\n        count++;\n    }\n}\nreturn count;", L(-9, 9, 0, 10), I(-9, 9))
T.family("sum_some")
T.add("sum_odd", 2, "(numbers: list[int]) -> int", "returns the sum of the odd numbers in a list of non-negative numbers.",
      "return sum(n for n in numbers if n % 2 == 1)",
      "int sum = 0;\nfor (int n : numbers) {\n    if (n % 2 == 1) {\n        sum += n;\n    }\n}\nreturn sum;", L(0, 30))
T.add("sum_of_list_squares", 2, "(numbers: list[int]) -> int", "returns the sum of the squares of the numbers in a list.",
      "return sum(n * n for n in numbers)",
      "int sum = 0;\nfor (int n : numbers) {\n    sum += n * n;\n}\nreturn sum;", L())
T.add("sum_plus_extra", 2, "(numbers: list[int], extra: int) -> int", "returns the sum of the numbers in a list, plus extra.",
      "return sum(numbers) + extra",
      "int sum = extra;\nfor (int n : numbers) {\n    sum += n;\n}\nreturn sum;", L(), I(-20, 20))
T.add("sum_is_positive", 2, "(numbers: list[int]) -> bool", "returns whether the sum of the numbers in a list is greater than zero.",
      "return sum(numbers) > 0",
      "int sum = 0;\nfor (int n : numbers) {\n    sum += n;\n}\nreturn sum > 0;", L(-9, 9, 0, 6))

T.family("of_extremes")
T.add("largest_is_above", 2, "(values: list[int], bound: int) -> bool", "returns whether the largest value of a non-empty list is greater than bound.",
      "return max(values) > bound", "return *std::max_element(values.begin(), values.end()) > bound;", L(-9, 9, 1, 4), I(-9, 9))
T.add("larger_plus_one", 2, "(a: int, b: int) -> int", "returns the larger of two integers, plus 1.",
      "return max(a, b) + 1", "return std::max(a, b) + 1;", I(-40, 40), I(-40, 40))
T.add("smaller_doubled", 2, "(a: int, b: int) -> int", "returns two times the smaller of two integers.",
      "return 2 * min(a, b)", "return 2 * std::min(a, b);", I(-40, 40), I(-40, 40))
T.add("at_most_hundred", 2, "(n: int) -> int", "returns n, but 100 if it is greater than 100.", "return min(n, 100)", "return std::min(n, 100);", I(-100, 300))
