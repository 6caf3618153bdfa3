#include "eval/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/escape.h"

namespace plumb {

namespace {

// Room for the labels around the plot, in the SVG's own units (pixels at natural size).
constexpr double kLeft = 50;
constexpr double kRight = 20;  // half of the last step's number, at its longest
constexpr double kTop = 10;
constexpr double kBottom = 24;

struct Range {
  double low = 0;
  double high = 1;
};

// Round numbers that divide the range into about `count` parts.
std::vector<double> round_ticks(Range range, int count) {
  const double raw = (range.high - range.low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double unit = raw / power;
  const double step = power * (unit < 1.5 ? 1 : unit < 3 ? 2 : unit < 7 ? 5 : 10);
  std::vector<double> ticks;
  const auto first = static_cast<long long>(std::ceil(range.low / step - 1e-9));
  const auto last = static_cast<long long>(std::floor(range.high / step + 1e-9));
  for (long long i = first; i <= last; ++i) {
    ticks.push_back(static_cast<double>(i) * step);
  }
  return ticks;
}

Range y_range(const ChartOptions& options, std::span<const Series> series) {
  Range range{options.from_zero ? 0 : HUGE_VAL, -HUGE_VAL};
  for (const Series& line : series) {
    for (const auto& [x, y] : line.points) {
      range.low = std::min(range.low, y);
      range.high = std::max(range.high, y);
    }
  }
  const double spread = range.high - range.low;
  const double level = range.high == 0 ? 1 : 0.1 * std::abs(range.high);  // room around a value that never moved
  const double margin = spread > 0 ? 0.06 * spread : level;
  range.high += margin;
  if (!options.from_zero || range.low < 0) {
    range.low -= margin;
  }
  if (options.percent) {
    range.high = std::min(range.high, 1.0 + 1e-9);
    range.high = std::max(range.high, 0.1);
  }
  return range;
}

Range x_range(std::span<const Series> series) {
  Range range{HUGE_VAL, -HUGE_VAL};
  for (const Series& line : series) {
    for (const auto& [x, y] : line.points) {
      range.low = std::min(range.low, x);
      range.high = std::max(range.high, x);
    }
  }
  if (range.high <= range.low) {
    range = {range.low - 0.5, range.high + 0.5};
  }
  return range;
}

// Maps data to the SVG's units.
struct Frame {
  Range x;
  Range y;
  double width;
  double height;
  [[nodiscard]] double px(double value) const {
    return kLeft + (value - x.low) / (x.high - x.low) * (width - kLeft - kRight);
  }
  [[nodiscard]] double py(double value) const {
    return height - kBottom - (value - y.low) / (y.high - y.low) * (height - kTop - kBottom);
  }
};

std::string axes(const ChartOptions& options, const Frame& frame) {
  std::string svg;
  for (const double tick : round_ticks(frame.y, 4)) {
    const double y = frame.py(tick);
    const std::string label = options.percent ? fmt::format("{:.0f}%", 100 * tick) : short_number(tick);
    svg += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft,
                       frame.width - kRight, y, y);
    svg += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kLeft - 6,
                       y + 3.5, label);
  }
  auto ticks = options.x_ticks.empty() ? round_ticks(frame.x, 6) : options.x_ticks;
  if (options.x_ticks.empty()) {  // steps are whole
    std::erase_if(ticks, [](double tick) { return tick != std::round(tick); });
  }
  for (const double tick : ticks) {
    svg += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>",
                       frame.px(tick), frame.height - 7, short_number(tick, 6));
  }
  return svg;
}

// Of more points than can be told apart, the lowest and the highest of each stretch: the line looks the same, and the
// page of a long run stays small.
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points) {
  constexpr std::size_t kStretches = 150;
  if (points.size() <= 2 * kStretches) {
    return points;
  }
  std::vector<std::pair<double, double>> kept;
  for (std::size_t i = 0; i < kStretches; ++i) {
    const auto at = [&](std::size_t k) {
      return points.begin() + static_cast<std::ptrdiff_t>(k * points.size() / kStretches);
    };
    const auto [low, high] =
        std::minmax_element(at(i), at(i + 1), [](const auto& a, const auto& b) { return a.second < b.second; });
    kept.push_back(std::min(*low, *high));  // by x
    if (low != high) {
      kept.push_back(std::max(*low, *high));
    }
  }
  return kept;
}

std::string draw_line(const ChartOptions& options, const Frame& frame, const Series& line) {
  std::string path;
  std::string marks;
  for (const auto& [x, y] : thinned(line.points)) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.px(x), frame.py(y));
    if (!line.faint && options.values_to_point_at) {
      const std::string value = options.percent ? percent(y) : short_number(y, 4);
      marks += fmt::format(
          "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{}: {} at {}</title></circle>",
          line.dots ? "dot " + line.css : "hit", frame.px(x), frame.py(y), line.dots ? line.dot_radius : 5,
          escape_html(line.label), value, short_number(x, 6));
    }
  }
  return fmt::format("<path class=\"line {}{}\" d=\"{}\"/>", line.css, line.faint ? " faint" : "", path) + marks;
}

}  // namespace

std::string line_chart(const ChartOptions& options, std::span<const Series> series) {
  const bool empty = std::all_of(series.begin(), series.end(), [](const Series& line) { return line.points.empty(); });
  std::string svg = fmt::format("<svg class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">",
                                options.width, options.height, escape_html(options.title));
  if (empty) {
    return svg + fmt::format(
                     "<text class=\"tick\" x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">no values yet</text></svg>",
                     options.width / 2, options.height / 2);
  }
  const Frame frame{x_range(series), y_range(options, series), options.width, options.height};
  svg += axes(options, frame);
  for (const Series& line : series) {
    svg += draw_line(options, frame, line);
  }
  return svg + "</svg>";
}

std::string area_chart(const ChartOptions& options, std::span<const Series> series) {
  // The upper edge of each band; edges[0] is the ground.
  std::vector<Series> edges(series.size() + 1);
  for (const auto& [x, y] : series.front().points) {
    edges[0].points.emplace_back(x, 0);
  }
  for (std::size_t s = 0; s < series.size(); ++s) {
    edges[s + 1] = edges[s];
    for (std::size_t i = 0; i < edges[s].points.size(); ++i) {
      edges[s + 1].points[i].second += series[s].points[i].second;
    }
  }
  const Frame frame{x_range(edges), y_range(options, edges), options.width, options.height};
  std::string svg = fmt::format("<svg class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">",
                                options.width, options.height, escape_html(options.title));
  svg += axes(options, frame);
  for (std::size_t s = 0; s < series.size(); ++s) {
    std::string path;
    for (const auto& [x, y] : edges[s + 1].points) {
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.px(x), frame.py(y));
    }
    for (auto below = edges[s].points.rbegin(); below != edges[s].points.rend(); ++below) {
      path += fmt::format("L{:.1f} {:.1f}", frame.px(below->first), frame.py(below->second));
    }
    svg += fmt::format("<path class=\"band {}\" d=\"{}Z\"><title>{}</title></path>", series[s].css, path,
                       escape_html(series[s].label));
  }
  return svg + "</svg>";
}

std::vector<std::pair<double, double>> smoothed(const std::vector<std::pair<double, double>>& points, int width) {
  std::vector<std::pair<double, double>> out;
  const int half = width / 2;
  const int size = static_cast<int>(points.size());
  for (int i = 0; i < size; ++i) {
    // As many points to the left as to the right, also near the ends: a lopsided mean would bend the line.
    const int reach = std::min({half, i, size - 1 - i});
    double sum = 0;
    for (int j = i - reach; j <= i + reach; ++j) {
      sum += points[static_cast<std::size_t>(j)].second;
    }
    out.emplace_back(points[static_cast<std::size_t>(i)].first, sum / (2 * reach + 1));
  }
  return out;
}

std::string whisker(const Interval& interval, double low, double high) {
  constexpr double kWidth = 150;
  const double span = high > low ? high - low : 1;
  const auto px = [&](double value) { return 5 + (value - low) / span * (kWidth - 10); };
  std::string svg =
      fmt::format("<svg class=\"whisker\" viewBox=\"0 0 {:.0f} 18\" role=\"img\" aria-label=\"interval\">", kWidth);
  svg += fmt::format("<line class=\"zero\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"1\" y2=\"17\"/>", px(0));
  if (std::isfinite(interval.mean)) {
    const char* css = interval.low > 0 ? "up" : interval.high < 0 ? "down" : "open";
    if (std::isfinite(interval.low)) {
      svg += fmt::format("<line class=\"reach {}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"9\" y2=\"9\"/>", css,
                         px(interval.low), px(interval.high));
    }
    svg += fmt::format("<circle class=\"point {}\" cx=\"{:.1f}\" cy=\"9\" r=\"4\"/>", css, px(interval.mean));
  }
  return svg + "</svg>";
}

std::string stacked_bar(std::span<const Segment> segments) {
  constexpr double kWidth = 1000;
  double total = 0;
  for (const Segment& segment : segments) {
    total += segment.value;
  }
  std::string svg =
      "<svg class=\"stack\" viewBox=\"0 0 1000 26\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"time by part\">";
  double x = 0;
  for (const Segment& segment : segments) {
    const double width = total > 0 ? segment.value / total * kWidth : 0;
    svg +=
        fmt::format("<rect class=\"{}\" x=\"{:.2f}\" y=\"0\" width=\"{:.2f}\" height=\"26\"><title>{}</title></rect>",
                    segment.css, x, std::max(0.0, width - 1.5), escape_html(segment.label));
    x += width;
  }
  return svg + "</svg>";
}

std::string short_number(double value, int digits) {
  if (!std::isfinite(value)) {
    return "–";
  }
  if (value == 0) {
    return "0";
  }
  const double size = std::abs(value);
  const char* sign = value < 0 ? "−" : "";
  if (size >= 1e4 && size < 1e15 && size == std::floor(size)) {
    const bool thousands = std::fmod(size, 1000) == 0;
    return thousands ? fmt::format("{}{:.0f}k", sign, size / 1000) : fmt::format("{}{:.0f}", sign, size);
  }
  if (size >= 1000 && size < 1e15) {
    return fmt::format("{}{:.0f}", sign, size);
  }
  return fmt::format("{}{:.{}g}", sign, size, digits);
}

std::string percent(double share) {
  return std::isfinite(share) ? fmt::format("{:.1f}%", 100 * share) : "–";
}

}  // namespace plumb
