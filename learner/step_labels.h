#pragma once
// Labels of steps from the outcomes of whole completions: what a process reward model learns from, without a person and
// without sampling anything again.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace plumb {

/// A completion of a prompt and what the judge said of it.
struct JudgedText {
  std::string_view text;
  bool right = false;
};

/// Of the K steps of a completion (core/steps.h).
struct StepLabels {
  std::vector<std::size_t> ends;          // [K] one past the last byte of each
  std::vector<double> labels;             // [K] the share of `completions` that are right
  std::vector<std::int64_t> completions;  // [K] that begin with the text up to the step's end; at least 1
};

/// Soft estimation (Math-Shepherd: Wang et al., 2023, arXiv 2312.08935, section 3.2.2) on the completions of one prompt
/// that were sampled anyway: the label of a step is the share of right ones among all completions that begin with the
/// text up to the step's end, itself included; of a last step, among those that are this very text. Equal texts count
/// as often as they were sampled. So a step that no other completion shares has the outcome of its own completion, 0
/// or 1: unlike Math-Shepherd's, whose completer samples several continuations of every prefix.
std::vector<StepLabels> step_labels(std::span<const JudgedText> completions);

}  // namespace plumb
