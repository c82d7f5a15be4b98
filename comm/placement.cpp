#include "comm/placement.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "regions/atlas.hpp"

namespace quartet {
namespace {

std::string all_regions() {
  std::string text;
  for (const std::string_view name : region_names()) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

[[noreturn]] void refuse_placement(const std::string& what) {
  throw std::invalid_argument("placement: " + what);
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  result += text;
  return result += "'";
}

/// Index in region_names(), or −1.
int region_index(std::string_view name) {
  const auto names = region_names();
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

std::vector<int> parse_ranks(std::string_view region, std::string_view text) {
  std::vector<int> ranks;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view number = text.substr(begin, end - begin);
    int rank = -1;
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), rank);
    if (error != std::errc() || stop != number.data() + number.size() || rank < 0) {
      refuse_placement(quoted(number) + " is not a rank of " + std::string(region) +
                       "; write ranks as in " + std::string(region) + ":0,1");
    }
    ranks.push_back(rank);
    begin = end + 1;
  }
  return ranks;
}

}  // namespace

Placement::Placement(std::vector<std::vector<int>> ranks, int world_size)
    : ranks_(std::move(ranks)), world_size_(world_size) {
  const auto names = region_names();
  std::vector<bool> busy(static_cast<std::size_t>(world_size), false);
  for (std::size_t region = 0; region < names.size(); ++region) {
    const std::string name(names[region]);
    const std::vector<int>& slices = ranks_[region];
    if (slices.empty()) refuse_placement("no rank hosts " + name + "; add " + name + ":0");
    if (name == "body" && slices.size() > 1)
      refuse_placement("the body is never split; give it one rank");
    for (std::size_t i = 0; i < slices.size(); ++i) {
      if (slices[i] >= world_size) {
        refuse_placement(name + " is on rank " + std::to_string(slices[i]) +
                         ", but there are ranks 0 to " + std::to_string(world_size - 1) +
                         " only; start more ranks or name a lower one");
      }
      if (std::find(slices.begin(), slices.begin() + static_cast<std::ptrdiff_t>(i), slices[i]) !=
          slices.begin() + static_cast<std::ptrdiff_t>(i)) {
        refuse_placement("rank " + std::to_string(slices[i]) + " would host two slices of " + name +
                         "; name each rank once per region");
      }
      busy[static_cast<std::size_t>(slices[i])] = true;
    }
  }
  const auto idle = std::find(busy.begin(), busy.end(), false);
  if (idle != busy.end()) {
    refuse_placement("rank " + std::to_string(idle - busy.begin()) + " of " +
                     std::to_string(world_size) +
                     " hosts nothing; give it a slice or start fewer ranks");
  }
}

Placement Placement::standard(int world_size) {
  switch (world_size) {
    case 1:
      return parse("cortex:0 cerebellum:0 basal_ganglia:0 thalamus:0 body:0", 1);
    case 2:
      return parse("cortex:0 thalamus:0 body:0 cerebellum:1 basal_ganglia:1", 2);
    case 3:
      return parse("cortex:0 body:0 cerebellum:1 basal_ganglia:2 thalamus:2", 3);
    case 4:
      return parse("cortex:0 body:0 cerebellum:1 basal_ganglia:2 thalamus:3", 4);
    case 5:
      return parse("cortex:0 cerebellum:1 basal_ganglia:2 thalamus:3 body:4", 5);
    case 6:
      return parse("cortex:0,1 body:0 cerebellum:2,3 basal_ganglia:4 thalamus:5", 6);
    default:
      break;
  }
  if (world_size < 1) refuse_placement("a run needs at least one rank");
  // Cortex (the shortest dt) and cerebellum (the most cells) share what is left by the others.
  const int rest = world_size - 3;
  const int cortex = (rest + 1) / 2;
  const auto list = [](int first, int count) {
    std::vector<int> ranks;
    for (int i = 0; i < count; ++i) ranks.push_back(first + i);
    return ranks;
  };
  std::vector<std::vector<int>> ranks(region_names().size());
  const auto place = [&](std::string_view region, std::vector<int> where) {
    ranks[static_cast<std::size_t>(region_index(region))] = std::move(where);
  };
  place("cortex", list(0, cortex));
  place("cerebellum", list(cortex, rest - cortex));
  place("basal_ganglia", {rest});
  place("thalamus", {rest + 1});
  place("body", {rest + 2});
  return Placement(std::move(ranks), world_size);
}

Placement Placement::parse(std::string_view text, int world_size) {
  if (world_size < 1) refuse_placement("a run needs at least one rank");
  std::vector<std::vector<int>> ranks(region_names().size());
  constexpr std::string_view blanks = " \t\n";
  for (std::size_t begin = text.find_first_not_of(blanks); begin != std::string_view::npos;
       begin = text.find_first_not_of(blanks, begin)) {
    const std::size_t end = std::min(text.find_first_of(blanks, begin), text.size());
    const std::string_view entry = text.substr(begin, end - begin);
    begin = end;
    const std::size_t colon = entry.find(':');
    if (colon == std::string_view::npos) {
      refuse_placement(quoted(entry) + " names no rank; write region:ranks as in cortex:0,1");
    }
    const std::string_view name = entry.substr(0, colon);
    const int region = region_index(name);
    if (region < 0) {
      refuse_placement("there is no region " + quoted(name) + "; the regions are " + all_regions());
    }
    std::vector<int>& slices = ranks[static_cast<std::size_t>(region)];
    if (!slices.empty()) {
      refuse_placement(std::string(name) + " is given twice; put all its ranks behind one colon");
    }
    slices = parse_ranks(name, entry.substr(colon + 1));
  }
  return Placement(std::move(ranks), world_size);
}

std::string Placement::to_string() const {
  std::string text;
  for (std::size_t region = 0; region < ranks_.size(); ++region) {
    if (region > 0) text += ' ';
    text += region_names()[region];
    for (std::size_t i = 0; i < ranks_[region].size(); ++i) {
      text += i == 0 ? ":" : ",";
      text += std::to_string(ranks_[region][i]);
    }
  }
  return text;
}

std::span<const int> Placement::ranks_of(std::string_view region) const {
  const int index = region_index(region);
  if (index < 0) {
    refuse_placement("there is no region " + quoted(region) + "; the regions are " + all_regions());
  }
  return ranks_[static_cast<std::size_t>(index)];
}

std::vector<HostedSlice> Placement::hosted_by(int rank) const {
  std::vector<HostedSlice> hosted;
  for (std::size_t region = 0; region < ranks_.size(); ++region) {
    const std::vector<int>& slices = ranks_[region];
    const auto found = std::find(slices.begin(), slices.end(), rank);
    if (found == slices.end()) continue;
    hosted.push_back({region_names()[region], static_cast<int>(found - slices.begin()),
                      static_cast<int>(slices.size())});
  }
  return hosted;
}

}  // namespace quartet
