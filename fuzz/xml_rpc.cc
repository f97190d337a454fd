// The answer of a supervisord: a value that is written down again reads the same, what is cut off is no answer, and
// nothing is deeper than it may be.
#include "runtime/xml_rpc.hpp"

#include <string>

#include "kit.hpp"

namespace homeostat::fuzz {
namespace {

using runtime::XmlValue;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return out;
}

struct Writer {
  int depth = 0;

  std::string value(const XmlValue& value) {
    require(++depth <= 17, "no deeper than the limit");
    const std::string inner = std::visit(*this, value.is);
    --depth;
    return "<value>" + inner + "</value>";
  }
  std::string operator()(const std::string& text) { return "<string>" + escaped(text) + "</string>"; }
  std::string operator()(std::int64_t number) { return "<int>" + std::to_string(number) + "</int>"; }
  std::string operator()(const std::vector<XmlValue>& list) {
    std::string out = "<array><data>";
    for (const XmlValue& item : list) out += value(item);
    return out + "</data></array>";
  }
  std::string operator()(const std::map<std::string, XmlValue>& members) {
    std::string out = "<struct>";
    for (const auto& [name, member] : members) {
      out += "<member><name>" + escaped(name) + "</name>" + value(member) + "</member>";
    }
    return out + "</struct>";
  }
};

bool same(const XmlValue& a, const XmlValue& b) { return Writer{}.value(a) == Writer{}.value(b); }

}  // namespace

void run(std::string_view input) {
  const auto answer = runtime::read_xml_answer(input);
  if (!answer || !*answer) return;
  const XmlValue& value = **answer;
  value.text("statename");
  value.number("pid");
  const std::string again = "<?xml version='1.0'?><methodResponse><params><param>" + Writer{}.value(value) +
                            "</param></params></methodResponse>";
  const auto read = runtime::read_xml_answer(again);
  require(read && *read && same(**read, value), "what is written down again reads the same");
  Chance chance(input);
  const std::string_view cut = std::string_view(again).substr(0, chance.below(again.size()));
  require(!runtime::read_xml_answer(cut), "what is cut off is no answer");
}

}  // namespace homeostat::fuzz
