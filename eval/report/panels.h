#pragma once
// What the charts of the training steps show: which curves share a panel, and in what units.

#include <string>
#include <vector>

#include "eval/report/run_data.h"

namespace plumb {

/// One curve of one panel.
struct Curve {
  std::string name;  // of the metric
  std::string label;
  std::string css;  // a colour class of the style sheet
};

struct Panel {
  std::string title;  // with the unit of y, where it has one
  std::string stage;
  std::vector<Curve> curves;
  bool percent = false;  // values are shares
  bool smooth = true;
  bool from_zero = true;
  bool only_if_moved = false;  // not worth a panel where every value is 0
};

/// The panels of a run in the order of the page: those that every run of a stage may have, and those that its own names
/// ask for (parts of the reward, sources of SFT). A panel may name metrics that the run lacks.
std::vector<Panel> panels_of(const RunData& run);

/// The metric names of the rows of `stage`, sorted.
std::vector<std::string> names_in_stage(const std::vector<StepRow>& rows, const std::string& stage);

}  // namespace plumb
