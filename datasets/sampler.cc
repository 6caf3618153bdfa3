#include "datasets/sampler.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "core/rng.h"

namespace plumb {

namespace {

/// The count at `key` of a cursor's object. Epochs stay within the 32 bits of a draw number.
Result<std::uint64_t> drawn_at(const nlohmann::json& cursor, const std::string& key, std::size_t num_prompts) {
  if (!cursor.contains(key) || !cursor[key].is_number_unsigned()) {
    return Error{"data cursor: \"" + key + "\": expected a count of draws"};
  }
  const auto drawn = cursor[key].get<std::uint64_t>();
  if (num_prompts == 0 ? drawn != 0 : drawn / num_prompts > std::numeric_limits<std::uint32_t>::max()) {
    return Error{"data cursor: \"" + key + "\": " + std::to_string(drawn) + " draws cannot be from " +
                 std::to_string(num_prompts) + " prompts"};
  }
  return drawn;
}

}  // namespace

Result<PromptSampler> PromptSampler::create(std::vector<PromptRecord> prompts, std::uint64_t seed, PromptOrder order) {
  if (prompts.empty()) {
    return Error{"there are no prompts to draw from; check the data file, the splits and the languages"};
  }
  std::sort(prompts.begin(), prompts.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  PromptSampler sampler;
  sampler.seed_ = seed;
  sampler.code_.name = "code";
  sampler.other_.name = "other";
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (i > 0 && prompts[i].id == prompts[i - 1].id) {
      return Error{"the prompt id \"" + prompts[i].id + "\" is used twice; ids name random streams and must differ"};
    }
  }
  for (PromptRecord& prompt : prompts) {
    List& list = prompt.domain == Domain::kCode ? sampler.code_ : sampler.other_;
    list.prompts.push_back(std::make_shared<const PromptRecord>(std::move(prompt)));
  }
  if (order == PromptOrder::kSpread) {
    sampler.code_.history.emplace(sampler.code_.prompts.size());
    sampler.other_.history.emplace(sampler.other_.prompts.size());
  }
  return sampler;
}

std::vector<PromptDraw> PromptSampler::next_batch(std::size_t n, std::size_t min_code) {
  const std::size_t num_code = code_in_batch(n, min_code);
  std::vector<PromptDraw> batch;
  draw(code_, num_code, batch);
  draw(other_, n - num_code, batch);
  return batch;
}

void PromptSampler::observe(const std::string& prompt_id, double successes, double trials) {
  for (List* list : {&code_, &other_}) {
    const auto found = std::lower_bound(list->prompts.begin(), list->prompts.end(), prompt_id,
                                        [](const auto& prompt, const std::string& id) { return prompt->id < id; });
    if (list->history && found != list->prompts.end() && (*found)->id == prompt_id) {
      list->history->observe(static_cast<std::uint32_t>(found - list->prompts.begin()), successes, trials);
    }
  }
}

double PromptSampler::epoch() const {
  return static_cast<double>(code_.drawn + other_.drawn) / static_cast<double>(num_prompts());
}

void PromptSampler::draw(List& list, std::size_t n, std::vector<PromptDraw>& batch) const {
  while (!list.history && n > 0) {
    batch.push_back(next_of_epoch(list));
    --n;
  }
  while (n > 0) {
    const std::size_t different = std::min(n, list.prompts.size());
    const auto chosen =
        list.history->choose(different, seed_, stable_hash(list.name), static_cast<std::uint32_t>(list.drawn));
    for (const std::uint32_t index : chosen) {
      batch.push_back({list.prompts[index], list.history->count_draw(index)});
    }
    list.drawn += different;
    n -= different;
  }
}

PromptDraw PromptSampler::next_of_epoch(List& list) const {
  const std::uint64_t size = list.prompts.size();
  const std::uint64_t epoch = list.drawn / size;
  if (epoch != list.order_epoch) {
    list.order.resize(size);
    std::iota(list.order.begin(), list.order.end(), 0U);
    shuffle(list.order, RngStream(RngPurpose::kData, seed_, stable_hash(list.name), static_cast<std::uint32_t>(epoch)));
    list.order_epoch = epoch;
  }
  const std::uint32_t index = list.order[list.drawn % size];
  ++list.drawn;
  return {list.prompts[index], static_cast<std::uint32_t>(epoch)};
}

std::size_t PromptSampler::code_in_batch(std::size_t n, std::size_t min_code) const {
  PLUMB_CHECK(min_code <= n, "a batch cannot hold more code prompts than prompts");
  if (code_.prompts.empty() || other_.prompts.empty()) {
    return code_.prompts.empty() ? 0 : n;
  }
  // The count that brings code's draws closest, from below, to its natural share of all draws so far and in this batch.
  const std::uint64_t total = code_.drawn + other_.drawn + n;
  const std::uint64_t due = total * code_.prompts.size() / num_prompts();
  const std::uint64_t missing = due > code_.drawn ? due - code_.drawn : 0;
  return std::clamp<std::size_t>(missing, min_code, n);
}

std::string PromptSampler::prompts_hash() const {
  std::string ids;
  for (const List* list : {&code_, &other_}) {
    for (const auto& prompt : list->prompts) {
      ids += prompt->id + "\n";
    }
    ids += "\n";
  }
  return std::to_string(stable_hash(ids));
}

nlohmann::json PromptSampler::cursor() const {
  nlohmann::json cursor = {
      {"seed", seed_}, {"prompts", prompts_hash()}, {"code", code_.drawn}, {"other", other_.drawn}};
  for (const List* list : {&code_, &other_}) {
    if (list->history) {
      cursor[list->name + "_history"] = list->history->to_json();
    }
  }
  return cursor;
}

Result<void> PromptSampler::restore(const nlohmann::json& cursor) {
  if (!cursor.is_object() || !cursor.contains("seed") || !cursor.contains("prompts")) {
    return Error{"data cursor: expected an object with seed, prompts, code and other"};
  }
  if (cursor["seed"] != seed_) {
    return Error{"data cursor: it is of seed " + cursor["seed"].dump() + ", this run has seed " +
                 std::to_string(seed_) + "; resume with the seed of the run"};
  }
  if (cursor["prompts"] != prompts_hash()) {
    return Error{
        "data cursor: the prompts differ from those of the run; resume with the data file it was started with"};
  }
  PLUMB_ASSIGN(const std::uint64_t code, drawn_at(cursor, "code", code_.prompts.size()));
  PLUMB_ASSIGN(const std::uint64_t other, drawn_at(cursor, "other", other_.prompts.size()));
  std::optional<SpreadHistory> histories[2] = {code_.history, other_.history};
  const List* lists[2] = {&code_, &other_};
  for (int i = 0; i < 2; ++i) {
    const std::string key = lists[i]->name + "_history";
    if (!histories[i]) {
      continue;
    }
    if (!cursor.contains(key)) {
      return Error{"data cursor: \"" + key + "\" is missing; the run was started with grpo.prompt_order = \"epochs\""};
    }
    if (const auto restored = histories[i]->restore(cursor[key]); !restored) {
      return restored.error().with_context("data cursor: \"" + key + "\"");
    }
  }
  code_.drawn = code;
  other_.drawn = other;
  code_.history = std::move(histories[0]);
  other_.history = std::move(histories[1]);
  return {};
}

}  // namespace plumb
