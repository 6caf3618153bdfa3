// Completions side by side: what was said, and what compiler, tests and reward said about it.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/escape.h"
#include "eval/report/sections.h"

namespace plumb {

namespace {

constexpr std::size_t kEvalCases = 12;
constexpr std::size_t kTrainSteps = 8;
constexpr std::size_t kTrainSamples = 8;

bool passes(const SampleRecord& sample) {
  return is_solved(sample) && sample.audit != 0;
}

std::string chips(const SampleRecord& sample) {
  if (!sample.unscored.empty()) {
    return "<span class=\"chip warn\">unscored</span>";
  }
  const bool good = passes(sample);
  std::string html = fmt::format("<span class=\"chip {}\">{}</span>", good ? "pass" : "fail",
                                 sample.verdict.empty() ? (good ? "right" : "wrong") : verdict_words(sample.verdict));
  if (sample.audit >= 0 && is_solved(sample)) {
    html += fmt::format(" <span class=\"chip {0}\">audit {0}</span>", sample.audit == 1 ? "pass" : "fail");
  }
  if (sample.finish == "length") {
    html += " <span class=\"chip warn\">cut off</span>";
  }
  return html;
}

std::string diagnostics(const SampleRecord& sample) {
  std::string text;
  for (const Diagnostic& diagnostic : sample.diagnostics) {
    const std::string place =
        diagnostic.line > 0 ? fmt::format("{}:{}: ", diagnostic.line, diagnostic.column) : std::string();
    text += escape_html(place + diagnostic.severity + ": " + diagnostic.message) + "\n";
  }
  std::string html = text.empty() ? "" : "<pre class=\"says\">" + text + "</pre>";
  if (!sample.output.empty()) {
    html += "<details><summary>What it printed</summary><pre>" + escape_html(sample.output) + "</pre></details>";
  }
  return html;
}

std::string parts(const SampleRecord& sample) {
  std::string html;
  for (const ScorePart& part : sample.parts) {
    const std::string weight = part.weight == 1 ? "" : " × " + short_number(part.weight);
    html += fmt::format("<p class=\"parts\"><b>{} {}{}</b> {}</p>", escape_html(part.name), short_number(part.value),
                        weight, escape_html(part.reason));
  }
  if (!sample.unscored.empty()) {
    html += "<p class=\"parts\"><b>not scored</b> " + escape_html(sample.unscored) + "</p>";
  }
  return html;
}

// How strongly the switch above the rollouts tints a completion's tokens: all alike where it has one advantage, each by
// its own where steps were rewarded. `largest` is the largest size of any; empty where there is nothing to show.
std::string advantage_class(double advantage, double largest) {
  constexpr double kStrengths = 4;
  if (advantage == 0 || !(largest > 0)) {
    return "";
  }
  const double strength = std::clamp(std::ceil(kStrengths * std::abs(advantage) / largest), 1.0, kStrengths);
  return fmt::format("{} w{:.0f}", advantage > 0 ? "gain" : "loss", strength);
}

// What to point at a token for beside its log-prob: its advantage and the score of its step, where it has them.
std::string token_words(const SampleRecord& sample, std::size_t token) {
  std::string words;
  if (token < sample.token_advantages.size()) {
    words += fmt::format(", advantage {:+.2f}", sample.token_advantages[token]);
  }
  const auto step = std::ranges::find_if(
      sample.steps, [&](const ScoredStep& each) { return each.end > static_cast<std::int64_t>(token); });
  return step == sample.steps.end() ? words : words + fmt::format(", step {:.2f}", step->score);
}

std::string token_classes(const SampleRecord& sample, std::size_t token, double largest_advantage) {
  const bool own = token < sample.token_advantages.size();
  const std::string tint = own ? advantage_class(sample.token_advantages[token], largest_advantage) : std::string();
  return tint.empty() ? tint : " " + tint;
}

// The text, each token tinted by how unlikely it was, with its log-prob to point at. Tokens that share a character are
// shown as one.
std::string tinted_text(const SampleRecord& sample, double largest_advantage) {
  const std::string& text = sample.text;
  if (sample.token_ends.empty() || sample.token_ends.size() != sample.log_probs.size()) {
    return "<span>" + escape_html(text) + "</span>";
  }
  std::string html;
  std::size_t begin = 0;
  double log_prob = 0;
  for (std::size_t t = 0; t < sample.token_ends.size(); ++t) {
    const auto end = static_cast<std::size_t>(std::clamp<std::int64_t>(sample.token_ends[t], 0, std::ssize(text)));
    log_prob += sample.log_probs[t];
    const bool inside_character = end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U;
    if (inside_character || end <= begin) {
      continue;
    }
    constexpr std::array kTints = {-0.1, -0.7, -1.6, -3.0, -5.0};  // 0.9, 0.5, 0.2, 0.05 and 0.007
    const auto tint = std::ranges::count_if(kTints, [&](double bound) { return log_prob < bound; });
    html += fmt::format("<span class=\"q{}{}\" title=\"log-prob {:.2f}{}\">{}</span>", tint,
                        token_classes(sample, t, largest_advantage), log_prob, token_words(sample, t),
                        escape_html(text.substr(begin, end - begin)));
    begin = end;
    log_prob = 0;
  }
  return html + escape_html(text.substr(begin));
}

std::string advantage_chip(const SampleRecord& sample) {
  if (sample.kind != "train") {
    return "";
  }
  if (!sample.advantage) {
    return " <span class=\"chip\" title=\"nothing to compare it with\">not in the loss</span>";
  }
  return fmt::format(" <span class=\"chip {}\" title=\"advantage\">A {:+.2f}</span>",
                     *sample.advantage > 0   ? "pass"
                     : *sample.advantage < 0 ? "fail"
                                             : "",
                     *sample.advantage);
}

// What the filters above the rollouts ask for: a completion passes or fails, and may be cut off or not compile besides.
std::string filter_classes(const SampleRecord& sample) {
  const char* outcome = !sample.unscored.empty() ? "is-unscored" : passes(sample) ? "is-pass" : "is-fail";
  return fmt::format("{}{}{}", outcome, sample.verdict == "CE" ? " is-ce" : "",
                     sample.finish == "length" ? " is-cut" : "");
}

std::string side(const SampleRecord& sample, const std::string& title, double largest_advantage = 0) {
  const double of_all = sample.token_advantages.empty() ? sample.advantage.value_or(0) : 0;
  return fmt::format("<div class=\"side {}\"><header><b>{}</b>{}{}</header><pre class=\"{}\">{}</pre>{}{}</div>",
                     filter_classes(sample), title, chips(sample), advantage_chip(sample),
                     advantage_class(of_all, largest_advantage), tinted_text(sample, largest_advantage),
                     diagnostics(sample), parts(sample));
}

std::string case_head(const SampleRecord& sample) {
  return fmt::format("<span class=\"caseid\">{}</span><p class=\"ask\">{}</p>", escape_html(sample.prompt_id),
                     escape_html(sample.prompt));
}

int stage_order(const std::string& stage) {
  return stage == "base" ? 0 : stage == "sft" ? 1 : stage == "grpo" ? 2 : 3;
}

// A prompt's first completion at each stage, greedy where there is one.
using Case = std::map<int, const SampleRecord*>;

std::vector<Case> eval_cases(const RunData& run) {
  const auto sets = evaluated_sets(run);
  std::map<std::string, Case> by_prompt;
  for (const SampleRecord& sample : run.samples) {
    if (sample.kind != "eval" || sample.sample != 0 || (!sets.empty() && sample.set != sets[0])) {
      continue;
    }
    const SampleRecord*& place = by_prompt[sample.prompt_id][stage_order(sample.stage)];
    if (place == nullptr || sample.temperature < place->temperature) {
      place = &sample;
    }
  }
  std::vector<Case> cases;
  for (auto& [id, entry] : by_prompt) {
    cases.push_back(std::move(entry));
  }
  return cases;
}

// What is most worth reading first: newly right, newly wrong, wrong throughout, right throughout.
int interest(const Case& entry) {
  const bool before = passes(*entry.begin()->second);
  const bool after = passes(*entry.rbegin()->second);
  return before == after ? (after ? 3 : 2) : (after ? 0 : 1);
}

// Takes turns between the kinds of interest, so that a page of successes also shows what still fails.
std::vector<Case> pick_cases(std::vector<Case> cases) {
  std::map<int, std::vector<Case>> kinds;
  for (Case& entry : cases) {
    kinds[interest(entry)].push_back(std::move(entry));
  }
  std::vector<Case> picked;
  for (std::size_t round = 0; picked.size() < kEvalCases; ++round) {
    const std::size_t before = picked.size();
    for (auto& [kind, entries] : kinds) {
      if (round < entries.size() && picked.size() < kEvalCases) {
        picked.push_back(std::move(entries[round]));
      }
    }
    if (picked.size() == before) {
      break;
    }
  }
  std::stable_sort(picked.begin(), picked.end(),
                   [](const Case& a, const Case& b) { return interest(a) < interest(b); });
  return picked;
}

const char* interest_label(int kind) {
  constexpr const char* kLabels[] = {"fail → pass", "pass → fail", "fails throughout", "passes throughout"};
  return kLabels[kind];
}

std::string eval_section(const RunData& run) {
  const auto cases = pick_cases(eval_cases(run));
  if (cases.empty()) {
    return "";
  }
  std::string html =
      "<h2>Completions side by side</h2><p class=\"lede\">The same held-out prompt at each stage, with the "
      "compiler’s words and every part of the reward.</p>";
  for (const Case& entry : cases) {
    const int kind = interest(entry);
    html += fmt::format("<div class=\"card case\"><span class=\"chip {}\">{}</span> {}<div class=\"sides\">",
                        kind == 0   ? "pass"
                        : kind == 1 ? "fail"
                                    : "",
                        interest_label(kind), case_head(*entry.begin()->second));
    for (const auto& [order, sample] : entry) {
      const std::string decoding = sample->temperature == 0 ? "greedy" : "T = " + short_number(sample->temperature);
      html += side(*sample, stage_label(sample->stage) + ", " + decoding);
    }
    html += "</div></div>";
  }
  return html;
}

// Groups of training rollouts: (step, prompt) to its samples, in file order.
using Groups = std::map<std::pair<std::int64_t, std::string>, std::vector<const SampleRecord*>>;

using Group = std::vector<const SampleRecord*>;

// How much a group has to show: rewards that differ and moved the weights; what moved them though all rewards are
// alike, as a divergence does; rewards that differ; nothing.
enum class Interest { kNone, kDiffers, kMoved, kTaught };

Interest interest_of(const Group& group) {
  const auto moved = [](const SampleRecord* sample) {
    return sample->advantage.value_or(0) != 0 ||
           std::ranges::any_of(sample->token_advantages, [](double a) { return a != 0; });
  };
  const bool differs = std::ranges::any_of(group, [&](const auto* one) { return one->reward != group[0]->reward; });
  if (std::ranges::any_of(group, moved)) {
    return differs ? Interest::kTaught : Interest::kMoved;
  }
  return differs ? Interest::kDiffers : Interest::kNone;
}

const char* rollouts_head(Interest most) {
  switch (most) {
    case Interest::kTaught:
      return "<h2>Rollouts that it learned from</h2><p class=\"lede\">One group of a few steps: completions of the "
             "same "
             "prompt, some rewarded and some not. That difference is all the training signal.";
    case Interest::kMoved:
      return "<h2>Rollouts that it learned from</h2><p class=\"lede\">One group of a few steps: completions of the "
             "same "
             "prompt. In no saved group did their rewards differ: their advantages come from other terms.";
    default:
      return "<h2>Rollouts</h2><p class=\"lede\">One group of a few steps: completions of the same prompt. Nothing was "
             "learned from any of the saved groups.";
  }
}

// Of each of a few steps spread over the run its most interesting group; steps that have only less to show than others
// are left out.
std::vector<const Group*> pick_groups(const Groups& groups) {
  std::map<std::int64_t, std::pair<Interest, const Group*>> best;
  Interest most = Interest::kNone;
  for (const auto& [key, group] : groups) {
    const Interest own = interest_of(group);
    auto& place = best[key.first];
    if (place.second == nullptr || own > place.first) {
      place = {own, &group};
    }
    most = std::max(most, own);
  }
  std::vector<const Group*> all;
  for (const auto& [step, place] : best) {
    if (place.first == most) {
      all.push_back(place.second);
    }
  }
  if (all.size() <= kTrainSteps) {
    return all;
  }
  std::vector<const Group*> spread;
  for (std::size_t i = 0; i < kTrainSteps; ++i) {
    spread.push_back(all[i * (all.size() - 1) / (kTrainSteps - 1)]);
  }
  return spread;
}

// A few of a group's samples, passing and failing ones in turn.
std::vector<const SampleRecord*> pick_samples(const std::vector<const SampleRecord*>& group) {
  std::vector<const SampleRecord*> good;
  std::vector<const SampleRecord*> bad;
  for (const SampleRecord* sample : group) {
    (is_solved(*sample) ? good : bad).push_back(sample);
  }
  std::vector<const SampleRecord*> picked;
  for (std::size_t i = 0; i < group.size() && picked.size() < kTrainSamples; ++i) {
    if (i < good.size()) {
      picked.push_back(good[i]);
    }
    if (i < bad.size() && picked.size() < kTrainSamples) {
      picked.push_back(bad[i]);
    }
  }
  return picked;
}

double largest_advantage(const Groups& groups) {
  double largest = 0;
  for (const auto& [key, group] : groups) {
    for (const SampleRecord* sample : group) {
      largest = std::max(largest, std::abs(sample->advantage.value_or(0)));
      for (const double advantage : sample->token_advantages) {
        largest = std::max(largest, std::abs(advantage));
      }
    }
  }
  return largest;
}

std::string chance_key() {
  return "<div class=\"filters by-chance\"><span>A token whose chance was below</span><span class=\"q1\">90 %</span>"
         "<span class=\"q2\">50 %</span><span class=\"q3\">20 %</span><span class=\"q4\">5 %</span>"
         "<span class=\"q5\">0.7 %</span></div>";
}

// The page runs no script: the style sheet asks which of the two is checked.
std::string tint_switch(double largest, bool of_tokens) {
  std::string html =
      "<div class=\"filters\" role=\"radiogroup\" aria-label=\"Colour tokens by\"><span>Colour tokens by</span>"
      "<label><input type=\"radio\" name=\"tint\" id=\"tint-chance\" checked> log-prob</label>"
      "<label><input type=\"radio\" name=\"tint\" id=\"tint-advantage\"> advantage</label></div>" +
      chance_key() + "<div class=\"filters by-advantage\"><span>The advantage of the " +
      (of_tokens ? "token" : "whole completion") + ", up to</span>";
  for (const double share : {-1.0, -0.5, 0.5, 1.0}) {
    html += fmt::format("<span class=\"swatch {}\">{:+.2f}</span>", advantage_class(share * largest, largest),
                        share * largest);
  }
  return html + "</div>";
}

std::string train_section(const RunData& run) {
  Groups groups;
  for (const SampleRecord& sample : run.samples) {
    if (sample.kind == "train") {
      groups[{sample.step, sample.prompt_id}].push_back(&sample);
    }
  }
  if (groups.empty()) {
    return "";
  }
  const std::vector<const Group*> picked = pick_groups(groups);
  std::string html = std::string(rollouts_head(interest_of(*picked.front()))) +
                     " Point at a token to read its log-prob; A is the advantage.</p>"
                     "<div class=\"filters\" role=\"radiogroup\" aria-label=\"Show\"><span>Show</span>"
                     "<label><input type=\"radio\" name=\"show\" id=\"show-all\" checked> all</label>"
                     "<label><input type=\"radio\" name=\"show\" id=\"show-pass\"> passes</label>"
                     "<label><input type=\"radio\" name=\"show\" id=\"show-fail\"> fails</label>"
                     "<label><input type=\"radio\" name=\"show\" id=\"show-ce\"> does not compile</label>"
                     "<label><input type=\"radio\" name=\"show\" id=\"show-cut\"> cut off</label></div>";
  const double largest = largest_advantage(groups);
  const bool of_tokens =
      std::ranges::any_of(run.samples, [](const SampleRecord& sample) { return !sample.token_advantages.empty(); });
  html += largest > 0 ? tint_switch(largest, of_tokens) : chance_key();
  bool first = true;
  for (const Group* group : picked) {
    const SampleRecord& head = *group->front();
    const auto good = std::count_if(group->begin(), group->end(), [](const auto* s) { return is_solved(*s); });
    html += fmt::format(
        "<details class=\"card case\"{}><summary>Step {} · {} · {} of {} pass</summary><div class=\"gap\">{}</div>"
        "<div class=\"sides\">",
        first ? " open" : "", head.step, escape_html(head.prompt_id), good, group->size(), case_head(head));
    for (const SampleRecord* sample : pick_samples(*group)) {
      html += side(*sample, fmt::format("sample {}", sample->sample + 1), largest);
    }
    html += "</div></details>";
    first = false;
  }
  return html;
}

}  // namespace

std::string samples_section(const RunData& run) {
  return eval_section(run) + train_section(run);
}

}  // namespace plumb
