// What a data profile found: how often the model passes, and how much of the data a policy could learn from.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/escape.h"
#include "eval/pass_at_k.h"
#include "eval/report/sections.h"

namespace plumb {

namespace {

// Sums over some of the prompts.
struct Figures {
  double prompts = 0;
  double mixed = 0;
  double never = 0;   // no completion passes
  double always = 0;  // each does
  double samples = 0;
  double truncated = 0;
  double tokens = 0;
  std::map<int, std::pair<double, double>> pass;  // by k: sum, and of how many prompts

  void add(const ProfileRow& row) {
    prompts += 1;
    mixed += row.mixed ? 1 : 0;
    never += row.scored > 0 && row.passed == 0 ? 1 : 0;
    always += row.scored > 0 && row.passed == row.scored ? 1 : 0;
    samples += row.samples;
    truncated += row.truncated;
    tokens += static_cast<double>(row.tokens);
    for (int k = 1; k <= row.scored; k *= 2) {
      pass[k].first += pass_at_k(row.scored, row.passed, k);
      pass[k].second += 1;
    }
  }
  [[nodiscard]] double pass_at(int k) const {
    const auto found = pass.find(k);
    return found == pass.end() ? NAN : found->second.first / found->second.second;
  }
};

Figures figures_of(const std::vector<ProfileRow>& rows) {
  Figures all;
  for (const ProfileRow& row : rows) {
    all.add(row);
  }
  return all;
}

std::string table_row(const std::string& label, const Figures& figures, const Figures& all) {
  std::string html = fmt::format("<tr><td class=\"l\">{}</td><td>{:.0f}</td>", label, figures.prompts);
  for (const auto& [k, sums] : all.pass) {
    html += "<td>" + percent(figures.pass_at(k)) + "</td>";
  }
  return html + fmt::format("<td class=\"final\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                            percent(figures.mixed / figures.prompts), percent(figures.never / figures.prompts),
                            percent(figures.always / figures.prompts), percent(figures.truncated / figures.samples),
                            short_number(figures.tokens / figures.samples));
}

std::string profile_table(const RunData& run, const Figures& all) {
  std::map<std::string, Figures> sources;
  for (const ProfileRow& row : run.profile) {
    sources[row.data_source].add(row);
  }
  std::string html = "<div class=\"card scroll gap\"><table><thead><tr><th class=\"l\">Source</th><th>Prompts</th>";
  for (const auto& [k, sums] : all.pass) {
    html += fmt::format("<th>pass@{}</th>", k);
  }
  html +=
      "<th>Mixed</th><th>Never<br>solved</th><th>Always<br>solved</th><th>Cut<br>off</th><th>Mean<br>tokens</th>"
      "</tr></thead><tbody>" +
      table_row("All", all, all);
  if (sources.size() > 1) {
    for (const auto& [name, figures] : sources) {
      html += table_row(escape_html(name), figures, all);
    }
  }
  return html + "</tbody></table></div>";
}

// Of the prompts whose time is known: a resumed profile may have lost some.
std::string useful_sentence(const RunData& run) {
  double seconds = 0;
  double useful = 0;
  for (const StepRow& row : run.timings) {
    const auto took = row.values.find("timing_s/step");
    const auto place = static_cast<std::size_t>(row.step - 1);
    if (row.stage == "profile" && took != row.values.end() && place < run.profile.size()) {
      seconds += took->second;
      useful += run.profile[place].mixed ? run.profile[place].scored : 0;
    }
  }
  return seconds > 0 ? fmt::format(
                           "<p class=\"small muted\">{:.0f} useful samples an hour on this machine: completions of "
                           "mixed groups, by the time that sampling and judging took.</p>",
                           3600 * useful / seconds)
                     : "";
}

}  // namespace

std::string profile_verdict(const RunData& run) {
  const Figures all = figures_of(run.profile);
  if (all.pass.empty()) {
    return "";
  }
  const int most = all.pass.rbegin()->first;
  const std::string best =
      most > 1 ? fmt::format(", the best of {} passes {}", most, percent(all.pass_at(most))) : std::string();
  return fmt::format(
      "Of {:.0f} prompts <b>{}</b> have completions whose rewards differ: from these a policy could learn. One "
      "completion passes {} of the time{}.",
      all.prompts, percent(all.mixed / all.prompts), percent(all.pass_at(1)), best);
}

std::string profile_section(const RunData& run) {
  if (run.profile.empty()) {
    return "";
  }
  return "<h2>What the model makes of this data</h2><p class=\"lede\">pass@k is the chance that one of k completions "
         "of a prompt passes, mean over prompts. Mixed are prompts whose completions differ in reward: what GRPO "
         "learns "
         "from. A prompt that is never solved is too hard for now, one that always is teaches nothing more.</p>" +
         profile_table(run, figures_of(run.profile)) + useful_sentence(run);
}

}  // namespace plumb
