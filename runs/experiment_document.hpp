/// From the text of an experiment file and the command line to layers of settings: taken apart, and
/// before any key is understood.
#pragma once

#include <string>
#include <vector>

#include "runs/experiment.hpp"
#include "runs/schema.hpp"

namespace quartet {

struct BlockText {
  Layer keys;
  Place where;
};
struct ScheduleText {
  std::string name;
  std::vector<BlockText> blocks;
  Place where;
};
struct GroupText {
  Layer keys;
  Layer set;
  Layer vary;
  Place where;
};

/// The layers of an experiment.
struct Document {
  Layer file;  ///< everything but schedules, groups and [quick]
  std::vector<ScheduleText> schedules;
  std::vector<GroupText> groups;
  Layer quick;
  Layer command_line;
  Place start;
};

/// Takes the text of `file` apart.
Document take_apart(const std::string& text, const std::string& file, Problems& problems);

/// Adds what the command line sets.
void take_overrides(const Overrides& overrides, Document& document, Problems& problems);

}  // namespace quartet
