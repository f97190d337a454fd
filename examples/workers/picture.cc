// Draws what scaling_jobs has written down: load, instances and latency over time, one under the other.
//
// Usage: scaling_picture --rows FILE > PICTURE.svg
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options.hpp"

namespace {

constexpr double kWidth = 760;
constexpr double kPanel = 140;
constexpr double kLeft = 56;
constexpr double kRight = 16;
constexpr double kTop = 34;
constexpr double kBottom = 12;

/// The columns of a row, in the order in which they are written.
enum Column : std::uint8_t { second, rate, came, done, waiting, busy, p50, p95, columns };
using Row = std::array<double, columns>;

std::vector<Row> read(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // the names
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    Row row{};
    const char* at = line.c_str();
    for (double& value : row) {
      char* end = nullptr;
      value = std::strtod(at, &end);
      at = *end == ',' ? end + 1 : end;
    }
    rows.push_back(row);
  }
  return rows;
}

/// One line of a panel.
struct Curve {
  Column column;
  std::string_view label;
  std::string_view colour;
  bool steps = false;
};

/// The next of 1, 2, 5, 10, 20 … above.
double round_up(double most) {
  for (double power = 1;; power *= 10) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (digit * power >= most) return digit * power;
    }
  }
}

class Panel {
 public:
  Panel(const std::vector<Row>& rows, std::string_view title, double top) : rows_(rows), title_(title), top_(top) {}

  std::string draw(const std::vector<Curve>& curves) {
    for (const Row& row : rows_) {
      for (const Curve& curve : curves) most_ = std::max(most_, row[curve.column]);
    }
    most_ = round_up(most_);
    std::string svg = fmt::format("<text x=\"{}\" y=\"{}\" class=\"name\">{}</text>\n", kLeft, top_ + 20, title_);
    double x = kLeft + 9.5 * static_cast<double>(title_.size()) + 16;
    for (const Curve& curve : curves) {
      svg += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n", x, top_ + 20, curve.colour, curve.label);
      x += 6.5 * static_cast<double>(curve.label.size()) + 16;
    }
    for (const double part : {0.0, 0.5, 1.0}) {
      svg += fmt::format(
          "<line x1=\"{0}\" y1=\"{1:.1f}\" x2=\"{2}\" y2=\"{1:.1f}\" class=\"grid\"/>\n"
          "<text x=\"{3}\" y=\"{4:.1f}\" class=\"axis\">{5:g}</text>\n",
          kLeft, y(part * most_), kWidth - kRight, kLeft - 6, y(part * most_) + 4, part * most_);
    }
    for (const Curve& curve : curves) svg += line(curve);
    return svg;
  }

 private:
  double x(double seconds) const { return kLeft + (kWidth - kLeft - kRight) * seconds / rows_.back()[second]; }
  double y(double value) const { return top_ + kTop + (kPanel - kTop - kBottom) * (1 - value / most_); }

  std::string line(const Curve& curve) const {
    std::string points;
    double last = rows_.front()[curve.column];
    for (const Row& row : rows_) {
      if (curve.steps) points += fmt::format("{:.1f},{:.1f} ", x(row[second]), y(last));
      last = row[curve.column];
      points += fmt::format("{:.1f},{:.1f} ", x(row[second]), y(last));
    }
    return fmt::format("<polyline points=\"{}\" stroke=\"{}\"/>\n", points, curve.colour);
  }

  const std::vector<Row>& rows_;
  std::string_view title_;
  double top_;
  double most_ = 1;
};

/// A mark every half minute.
std::string seconds_below(const std::vector<Row>& rows, double y) {
  std::string svg;
  const double end = rows.back()[second];
  for (double at = 0; at <= end; at += 30) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">{:g} s</text>\n",
                       kLeft + (kWidth - kLeft - kRight) * at / end, y, at);
  }
  return svg;
}

}  // namespace

int main(int argc, char** argv) {
  const workers::Options options(argc, argv, {"--rows"});
  const std::vector<Row> rows = read(options.text("--rows"));
  if (rows.empty()) workers::usage("there are no rows in " + options.text("--rows"));
  const double height = 4 * kPanel + 24;
  fmt::print(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "aria-label=\"jobs a second, workers and latency over time\">\n"
      "<style>text{{font:12px sans-serif}} .name{{font-size:14px;font-weight:bold}} .axis{{text-anchor:end;fill:#555}} "
      ".grid{{stroke:#ddd}} polyline{{fill:none;stroke-width:1.8}}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      kWidth, height);
  const std::array<std::pair<std::string_view, std::vector<Curve>>, 4> panels{{
      {"Jobs a second", {{came, "come in", "#b8860b"}, {done, "are done", "#2e7d32"}}},
      {"Workers", {{busy, "at work", "#1f5a96", true}}},
      {"Queue", {{waiting, "jobs that wait", "#b22222"}}},
      {"Latency (ms)", {{p95, "95th percentile", "#8e44ad"}, {p50, "median", "#555"}}},
  }};
  double top = 0;
  for (const auto& [title, curves] : panels) {
    fmt::print("{}", Panel(rows, title, top).draw(curves));
    top += kPanel;
  }
  fmt::print("{}</svg>\n", seconds_below(rows, top + 14));
  return 0;
}
