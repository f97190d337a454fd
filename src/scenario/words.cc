#include "scenario/words.hpp"

namespace homeostat::scenario {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

}  // namespace

std::expected<std::vector<Word>, Problem> split_words(std::string_view line, std::uint32_t number) {
  std::vector<Word> words;
  std::size_t i = 0;
  while (i < line.size()) {
    if (is_blank(line[i])) {
      ++i;
      continue;
    }
    if (line[i] == '#') break;
    Word word;
    word.at = {number, static_cast<std::uint32_t>(i + 1)};
    std::size_t end = i + 1;
    if (line[i] == '"') {
      end = line.find('"', i + 1);
      if (end == std::string_view::npos) {
        return std::unexpected(Problem{{}, number, word.at.column, "the quoted text does not end on this line", {}});
      }
      word.quoted = true;
      word.text = line.substr(i + 1, end - i - 1);
      ++end;
    } else if (line[i] != ',') {
      while (end < line.size() && !is_blank(line[end]) && line[end] != ',' && line[end] != '"') ++end;
      word.text = line.substr(i, end - i);
    } else {
      word.text = ",";
    }
    words.push_back(std::move(word));
    i = end;
  }
  return words;
}

}  // namespace homeostat::scenario
