"""The learning benchmark's table: differences over functions with their intervals."""

from statistics import fmean

from intervals import bca


def unit(prompt_id):
    return prompt_id.rsplit("/", 1)[0]


def per_unit(results, choose, score):
    """Mean score of each function, over languages and the seeds that have what `choose` picks."""
    scores = {}
    for result in results:
        picked = choose(result)
        for prompt_id, successes in (picked or {}).get("successes", {}).items():
            scores.setdefault(unit(prompt_id), []).append(score(successes))
    return {name: fmean(values) for name, values in scores.items()}


def average(k):
    return lambda successes: fmean(successes[:k])


def any_of(k):
    return lambda successes: float(any(successes[:k]))


def of_test(arm, decoding):
    return lambda result: result["test"].get(arm, {}).get(decoding)


def of_best(arm):
    return lambda result: result["best"].get(arm)


def points(interval):
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * value for value in interval))


def difference(results, after, before, score):
    """after - before in points, paired by function, over the seeds that have both."""
    both = [result for result in results if after(result) and before(result)]
    if not both:
        return "not measured"
    one, other = per_unit(both, after, score), per_unit(both, before, score)
    return points(bca([one[name] - other[name] for name in sorted(one)]))


def level(results, choose, score):
    values = per_unit(results, choose, score)
    return f"{100 * fmean(values.values()):.1f}" if values else "-"


def truncated(results, arm):
    shares = [result["test"][arm]["T1"]["truncated"] for result in results if arm in result["test"]]
    return f"{100 * fmean(shares):.1f} %" if shares else "-"


def print_table(results):
    seeds = ", ".join(str(result["seed"]) for result in results)
    print(f"Held-out functions, both languages, audit suite counts; seeds {seeds}; in percent and points, "
          "95 % BCa intervals over functions.\n")
    print("| arm | avg@4, T = 1 | greedy | pass@8 | cut off | minutes | GRPO minus it, avg@4 |")
    print("|---|---|---|---|---|---|---|")
    for arm in ("sft", "grpo", "permuted", "sft_continued", "rejection_sft"):
        minutes = [result["minutes"][arm] for result in results if arm in result["minutes"]]
        gain = "" if arm == "grpo" else difference(results, of_test("grpo", "T1"), of_test(arm, "T1"), average(4))
        print("| {} | {} | {} | {} | {} | {} | {} |".format(
            arm, level(results, of_test(arm, "T1"), average(4)), level(results, of_test(arm, "T0"), average(1)),
            level(results, of_test(arm, "T1"), any_of(8)), truncated(results, arm),
            f"{fmean(minutes):.1f}" if minutes else "-", gain))
    best = [f"seed {result['seed']}: " + ", ".join(f"{arm} {one['temperature']:g}" for arm, one in result["best"].items())
            for result in results]
    print("\nEach at its own best temperature of dev ({}): GRPO - SFT {}".format(
        "; ".join(best), difference(results, of_best("grpo"), of_best("sft"), average(4))))
    print("Greedy: GRPO - SFT " + difference(results, of_test("grpo", "T0"), of_test("sft", "T0"), average(1)))
    print("pass@8: GRPO - SFT " + difference(results, of_test("grpo", "T1"), of_test("sft", "T1"), any_of(8)))
