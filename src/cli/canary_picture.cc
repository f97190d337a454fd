#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/canary_eval.hpp"

namespace homeostat::cli {
namespace {

constexpr double kWidth = 760;
constexpr double kPanel = 220;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 44;
constexpr double kBottom = 32;
constexpr std::size_t kMostPanels = 50;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
  }
  return out;
}

/// One metric over time: the change, what is known of it, and what is tolerated.
class Panel {
 public:
  Panel(const canary::Metric& metric, std::size_t index, const std::vector<CanaryLook>& looks)
      : metric_(metric), index_(index), looks_(looks), top_(kPanel * static_cast<double>(index) + kTop) {
    timed_ = !looks.empty() && looks.back().at > looks.front().at;
    choose_scale();
  }

  std::string draw() const {
    const canary::MetricReport& last = report(looks_.size() - 1);
    std::string svg = fmt::format("<text x=\"{}\" y=\"{}\" class=\"name\">{}: {}</text>\n", kLeft, top_ - 22,
                                  escaped(metric_.name), to_string(last.verdict));
    svg += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", kLeft, top_ - 8, escaped(last.why));
    svg += band() + line(0, "zero", "0 %");
    const bool up = metric_.worse != canary::Worse::lower;
    svg += line((up ? 1 : -1) * metric_.promote_below, "tolerated", "tolerated");
    if (metric_.worse == canary::Worse::either) svg += line(-metric_.promote_below, "tolerated", "tolerated");
    if (metric_.fail_above > 0) svg += line((up ? 1 : -1) * metric_.fail_above, "harm", "harm");
    for (const double edge : {low_, high_}) {
      svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" class=\"axis\">{:+.0f} %</text>\n", kLeft - 6, y(edge) + 4,
                         100 * edge);
    }
    const double end = timed_ ? looks_.back().at : static_cast<double>(looks_.size());
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" class=\"axis\">{:g} {}</text>\n", kWidth - kRight, y(low_) + 18,
                       end, timed_ ? "s" : "looks");
    return svg;
  }

 private:
  const canary::MetricReport& report(std::size_t look) const { return looks_[look].judgement.metrics[index_]; }
  bool known(std::size_t look) const {
    const canary::MetricReport& r = report(look);
    return r.verdict != canary::Verdict::not_enough_data && std::isfinite(r.change);
  }

  /// So much that what was known in the second half of the time is in the picture.
  void choose_scale() {
    const double tolerance = std::max(metric_.promote_below, metric_.fail_above);
    low_ = -1.5 * tolerance;
    high_ = 1.5 * tolerance;
    for (std::size_t i = looks_.size() / 2; i < looks_.size(); ++i) {
      if (!known(i)) continue;
      for (const double value : {report(i).lower, report(i).change, report(i).upper}) {
        if (!std::isfinite(value)) continue;
        low_ = std::min(low_, value);
        high_ = std::max(high_, value);
      }
    }
    low_ = std::max(low_, -1.0);
    high_ = std::min(high_, 10.0);
  }

  double x(std::size_t look) const {
    const double from = timed_ ? looks_.front().at : 0;
    const double to = timed_ ? looks_.back().at : static_cast<double>(std::max<std::size_t>(looks_.size(), 2) - 1);
    const double place = timed_ ? looks_[look].at : static_cast<double>(look);
    return kLeft + (kWidth - kLeft - kRight) * (place - from) / (to - from);
  }
  double y(double share) const {
    const double inside = std::clamp(std::isnan(share) ? 0.0 : share, low_, high_);
    return top_ + (kPanel - kTop - kBottom) * (high_ - inside) / (high_ - low_);
  }

  std::string line(double share, std::string_view style, std::string_view label) const {
    if (share < low_ || share > high_) return {};
    return fmt::format(
        "<line x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\" class=\"{}\"/>\n"
        "<text x=\"{}\" y=\"{:.1f}\" class=\"axis\">{}</text>\n",
        kLeft, y(share), kWidth - kRight, y(share), style, kLeft - 6, y(share) + 4, label);
  }

  std::string band() const {
    std::string upper;
    std::string lower;
    std::string change;
    for (std::size_t i = 0; i < looks_.size(); ++i) {
      if (!known(i)) continue;
      upper += fmt::format("{:.1f},{:.1f} ", x(i), y(report(i).upper));
      change += fmt::format("{:.1f},{:.1f} ", x(i), y(report(i).change));
    }
    if (change.empty()) return {};
    for (std::size_t i = looks_.size(); i-- > 0;) {
      if (known(i)) lower += fmt::format("{:.1f},{:.1f} ", x(i), y(report(i).lower));
    }
    return fmt::format("<polygon points=\"{}{}\" class=\"band\"/>\n<polyline points=\"{}\" class=\"change\"/>\n", upper,
                       lower, change);
  }

  const canary::Metric& metric_;
  std::size_t index_;
  const std::vector<CanaryLook>& looks_;
  double top_;
  bool timed_ = false;
  double low_ = 0;
  double high_ = 0;
};

}  // namespace

std::string picture_canary(const CanaryInput& input, const std::vector<CanaryLook>& looks) {
  const std::size_t panels = std::min(input.metrics.size(), kMostPanels);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n"
      "<style>text{{font:11px sans-serif;fill:#333}} .name{{font-size:14px;font-weight:bold}} "
      ".axis{{text-anchor:end}} .band{{fill:#4a7fb5;opacity:.25}} .change{{fill:none;stroke:#1f5a96;stroke-width:2}} "
      ".zero{{stroke:#999}} .tolerated{{stroke:#b8860b;stroke-dasharray:4 3}} "
      ".harm{{stroke:#b22222;stroke-dasharray:4 3}}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      kWidth, kPanel * static_cast<double>(panels));
  for (std::size_t i = 0; i < panels; ++i) svg += Panel(input.metrics[i].metric, i, looks).draw();
  return svg + "</svg>\n";
}

}  // namespace homeostat::cli
