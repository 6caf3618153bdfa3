#pragma once
// Charts as inline SVG. Colours and fonts come from classes in the page's style sheet, so that they follow the reader's
// light or dark scheme; values show as tooltips through <title>.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/intervals.h"

namespace plumb {

/// A line. `css` names its colour class: "base", "sft", "grpo", "a", "b", "c".
struct Series {
  std::string label;
  std::string css;
  std::vector<std::pair<double, double>> points;  // (x, y), x ascending
  bool faint = false;                             // the raw values behind a smoothed line
  bool dots = false;
  double dot_radius = 3;
};

struct ChartOptions {
  std::string title;     // for screen readers
  bool percent = false;  // y in [0, 1], shown times 100
  bool from_zero = true;
  std::vector<double> x_ticks = {};  // default: round numbers
  double width = 340;
  double height = 190;
  bool values_to_point_at = true;  // a tooltip at each point: most of a chart's bytes
};

/// A line chart with axes, grid and one path per series; a box that says so where there are no points.
std::string line_chart(const ChartOptions& options, std::span<const Series> series);

/// Bands on top of each other, the first at the bottom. All series have the same x, and values >= 0.
std::string area_chart(const ChartOptions& options, std::span<const Series> series);

/// Centred moving mean of `width` points (fewer at the ends), to show the course of a noisy series.
std::vector<std::pair<double, double>> smoothed(const std::vector<std::pair<double, double>>& points, int width);

/// A dot with a whisker for `interval` on a scale from `low` to `high`, zero marked.
std::string whisker(const Interval& interval, double low, double high);

/// One horizontal bar of segments, each (css class, label, value), in proportion.
struct Segment {
  std::string css;
  std::string label;
  double value = 0;
};
std::string stacked_bar(std::span<const Segment> segments);

/// `value` with `digits` significant digits, without an exponent where it can do without: "0.0123", "1.2e-06".
std::string short_number(double value, int digits = 3);

/// "33.3%"; "–" for NaN.
std::string percent(double share);

}  // namespace plumb
