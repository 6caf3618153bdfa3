"""Functions that reinforcement learning draws prompts from: one-line formulas, comparisons and choices."""

from inputs import B, F, I, Tasks, below, between

T = Tasks("rl")

T.family("weighted_sum")
T.add("twice_a_plus_thrice_b", 1, "(a: int, b: int) -> int", "returns two times a plus three times b.",
      "return 2 * a + 3 * b", "return 2 * a + 3 * b;", I(), I())
T.add("four_a_minus_b", 1, "(a: int, b: int) -> int", "returns four times a minus b.", "return 4 * a - b", "return 4 * a - b;", I(), I())
T.add("two_products_added", 1, "(a: int, b: int, c: int, d: int) -> int", "returns a times b plus c times d.",
      "return a * b + c * d", "return a * b + c * d;", I(-20, 20), I(-20, 20), I(-20, 20), I(-20, 20))

T.family("less_product")
T.add("change_from", 1, "(paid: int, price: int, count: int) -> int", "returns paid minus price times count.",
      "return paid - price * count", "return paid - price * count;", I(0, 500), I(0, 30), I(0, 12))
T.add("pages_left", 1, "(pages: int, days: int) -> int", "returns pages minus 20 times days.",
      "return pages - 20 * days", "return pages - 20 * days;", I(0, 500), I(0, 20))

T.family("product_of_sums")
T.add("square_of_sum", 1, "(a: int, b: int) -> int", "returns the square of the sum of a and b.",
      "return (a + b) * (a + b)", "return (a + b) * (a + b);", I(-40, 40), I(-40, 40))
T.add("next_two_multiplied", 1, "(n: int) -> int", "returns (n + 1) times (n + 2).",
      "return (n + 1) * (n + 2)", "return (n + 1) * (n + 2);", I(-200, 200))

T.family("polynomial")
T.add("square_plus_one", 1, "(n: int) -> int", "returns the square of n, plus 1.", "return n * n + 1", "return n * n + 1;", I(-300, 300))
T.add("square_minus_self", 1, "(n: int) -> int", "returns the square of n minus n.", "return n * n - n", "return n * n - n;", I(-300, 300))
T.add("cube_plus_square", 1, "(n: int) -> int", "returns the cube of n plus the square of n.",
      "return n * n * n + n * n", "return n * n * n + n * n;", I(-150, 150))

T.family("four_numbers")
T.add("add_four", 1, "(a: int, b: int, c: int, d: int) -> int", "returns the sum of four integers.",
      "return a + b + c + d", "return a + b + c + d;", I(), I(), I(), I())
T.add("multiply_four", 1, "(a: int, b: int, c: int, d: int) -> int", "returns the product of four integers.",
      "return a * b * c * d", "return a * b * c * d;", I(-12, 12), I(-12, 12), I(-12, 12), I(-12, 12))

T.family("plus_and_minus")
T.add("balance", 1, "(start: int, income: int, expenses: int) -> int", "returns start plus income minus expenses.",
      "return start + income - expenses", "return start + income - expenses;", I(), I(0, 200), I(0, 200))
T.add("a_minus_b_plus_c", 1, "(a: int, b: int, c: int) -> int", "returns a minus b plus c.", "return a - b + c", "return a - b + c;", I(), I(), I())

T.family("more_units")
T.add("total_minutes", 1, "(hours: int, minutes: int) -> int", "returns the number of minutes in the given hours and minutes.",
      "return hours * 60 + minutes", "return hours * 60 + minutes;", I(0, 100), I(0, 59))
T.add("total_inches", 1, "(feet: int, inches: int) -> int", "returns the number of inches in the given feet and inches: 12 inches are one foot.",
      "return feet * 12 + inches", "return feet * 12 + inches;", I(0, 100), I(0, 11))
T.add("total_days", 1, "(weeks: int, days: int) -> int", "returns the number of days in the given weeks and days.",
      "return weeks * 7 + days", "return weeks * 7 + days;", I(0, 100), I(0, 6))
T.add("total_grams", 1, "(kilograms: int, grams: int) -> int", "returns the number of grams in the given kilograms and grams.",
      "return kilograms * 1000 + grams", "return kilograms * 1000 + grams;", I(0, 100), I(0, 999))
T.add("clock_to_seconds", 1, "(hours: int, minutes: int, seconds: int) -> int",
      "returns hours times 3600, plus minutes times 60, plus seconds.",
      "return hours * 3600 + minutes * 60 + seconds", "return hours * 3600 + minutes * 60 + seconds;", I(0, 23), I(0, 59), I(0, 59))

T.family("places")
T.add("last_two_digits", 1, "(n: int) -> int", "returns the last two decimal digits of a non-negative integer as a number.",
      "return n % 100", "return n % 100;", I(0, 5000))
T.add("tens_digit", 1, "(n: int) -> int", "returns the tens digit of a non-negative integer.",
      "return n // 10 % 10", "return n / 10 % 10;", I(0, 5000))
T.add("hundreds_of", 1, "(n: int) -> int", "returns how many whole hundreds a non-negative integer has.",
      "return n // 100", "return n / 100;", I(0, 9000))
T.add("seconds_shown", 1, "(seconds: int) -> int", "returns the seconds left over after taking whole minutes from a non-negative number of seconds.",
      "return seconds % 60", "return seconds % 60;", I(0, 4000))
T.add("down_to_ten", 1, "(n: int) -> int", "returns a non-negative integer rounded down to a multiple of ten.",
      "return n // 10 * 10", "return n / 10 * 10;", I(0, 3000))

T.family("sizes")
T.add("box_volume", 1, "(length: int, width: int, height: int) -> int", "returns the volume of a box.",
      "return length * width * height", "return length * width * height;", I(0, 40), I(0, 40), I(0, 40))
T.add("rectangle_area", 1, "(width: float, height: float) -> float", "returns the area of a rectangle.",
      "return width * height", "return width * height;", F(0, 60), F(0, 60))
T.add("square_area", 1, "(side: int) -> int", "returns the area of a square.", "return side * side", "return side * side;", I(0, 400))
T.add("frame_length", 1, "(width: int, height: int) -> int", "returns two times the sum of width and height.",
      "return 2 * (width + height)", "return 2 * (width + height);", I(0, 99), I(0, 99))

T.family("parts")
T.add("three_quarters_of", 1, "(x: float) -> float", "returns three quarters of a number: x times 3, divided by 4.",
      "return x * 3 / 4", "return x * 3 / 4;", F(-99, 99))
T.add("half_difference", 1, "(high: float, low: float) -> float", "returns half of the difference high minus low.",
      "return (high - low) / 2", "return (high - low) / 2;", F(-40, 40), F(-40, 40))
T.add("with_half_added", 1, "(x: float) -> float", "returns a number plus half of it.", "return x + x / 2", "return x + x / 2;", F(-99, 99))
T.add("weight_lost", 1, "(before: float, after: float) -> float", "returns the weight before minus the weight after.",
      "return before - after", "return before - after;", F(0, 99), F(0, 99))
T.add("total_cost", 1, "(price: float, count: int) -> float", "returns the price of one item times the count.",
      "return price * count", "return price * count;", F(0, 40), I(0, 30))

T.family("at_least")
T.add("is_at_least", 1, "(value: int, minimum: int) -> bool", "returns whether a value is greater than or equal to a minimum.",
      "return value >= minimum", "return value >= minimum;", I(-15, 15), I(-15, 15))
T.add("is_at_most", 1, "(value: int, maximum: int) -> bool", "returns whether a value is less than or equal to a maximum.",
      "return value <= maximum", "return value <= maximum;", I(-15, 15), I(-15, 15))
T.add("is_large", 1, "(n: int) -> bool", "returns whether an integer is greater than 50.", "return n > 50", "return n > 50;",
      draw=lambda r: [between(r, 20, 80) if below(r, 2) else between(r, -400, 500)])
T.add("is_cheap", 1, "(price: float) -> bool", "returns whether a price is less than 10.", "return price < 10", "return price < 10;",
      draw=lambda r: [between(r, -400, 480) / 16 if below(r, 2) else between(r, 0, 40) / 2])

T.family("relation_check")
T.add("is_double_of", 1, "(a: int, b: int) -> bool", "returns whether a is two times b.", "return a == 2 * b", "return a == 2 * b;",
      draw=lambda r: (lambda b: [2 * b if below(r, 2) else 2 * b + between(r, -3, 3), b])(between(r, -120, 120)))
T.add("is_square_of", 1, "(a: int, b: int) -> bool", "returns whether a is the square of b.", "return a == b * b", "return a == b * b;",
      draw=lambda r: (lambda b: [b * b if below(r, 2) else b * b + between(r, -3, 3), b])(between(r, -150, 150)))
T.add("difference_is", 1, "(a: int, b: int, result: int) -> bool", "returns whether a minus b equals result.",
      "return a - b == result", "return a - b == result;",
      draw=lambda r: (lambda a, b: [a, b, a - b if below(r, 2) else a - b + between(r, -3, 3)])(between(r, -30, 30), between(r, -30, 30)))
T.add("all_three_equal", 1, "(a: int, b: int, c: int) -> bool", "returns whether three integers are all equal.",
      "return a == b and b == c", "return a == b && b == c;",
      draw=lambda r: (lambda a: [a, a, a] if below(r, 2) else [a, a + between(r, -1, 1), a + between(r, -1, 1)])(between(r, -150, 150)))
T.family("choice_by_flag")
T.add("add_or_subtract", 1, "(a: int, b: int, add: bool) -> int", "returns a plus b if add is true, otherwise a minus b.",
      "return a + b if add else a - b", "return add ? a + b : a - b;", I(-40, 40), I(-40, 40), B())
T.add("choose_number", 1, "(first: int, second: int, use_first: bool) -> int", "returns first if use_first is true, otherwise second.",
      "return first if use_first else second", "return use_first ? first : second;", I(-40, 40), I(-40, 40), B())
T.add("negate_if", 1, "(n: int, flag: bool) -> int", "returns minus n if flag is true, otherwise n.",
      "return -n if flag else n", "return flag ? -n : n;", I(-300, 300), B())

T.family("two_prices")
T.add("ticket_price", 1, "(age: int) -> int", "returns 5 if the age is less than 12, otherwise 10.",
      "return 5 if age < 12 else 10", "return age < 12 ? 5 : 10;", I(-150, 150))
T.add("shipping_cost", 1, "(total: int) -> int", "returns 0 if the total is greater than 50, otherwise 7.",
      "return 0 if total > 50 else 7", "return total > 50 ? 0 : 7;", I(-150, 250))
T.add("with_bonus", 1, "(points: int) -> int", "returns points plus 10 if points is greater than 50, otherwise points.",
      "return points + 10 if points > 50 else points", "return points > 50 ? points + 10 : points;", I(-150, 250))

T.family("size_words")
T.add("big_or_small", 1, "(n: int) -> str", "returns \"big\" if n is greater than 100, otherwise \"small\".",
      'return "big" if n > 100 else "small"', 'return n > 100 ? "big" : "small";',
      draw=lambda r: [between(r, 70, 130) if below(r, 2) else between(r, -200, 400)])
T.add("hot_or_cold", 1, "(degrees: int) -> str", "returns \"cold\" if the degrees are less than 15, otherwise \"hot\".",
      'return "cold" if degrees < 15 else "hot"', 'return degrees < 15 ? "cold" : "hot";', I(-150, 200))
T.add("yes_or_no", 1, "(a: int, b: int) -> str", "returns \"yes\" if a is greater than b, otherwise \"no\".",
      'return "yes" if a > b else "no"', 'return a > b ? "yes" : "no";', I(-20, 20), I(-20, 20))
