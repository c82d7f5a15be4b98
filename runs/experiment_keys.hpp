/// The keys of an experiment file, as structs: what may be written where.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/parameters.hpp"
#include "models/task.hpp"
#include "regions/brain.hpp"
#include "runs/experiment.hpp"

namespace quartet {

/// Keys outside of tables.
struct TopLevel {
  std::string name, title, description, cut;
  std::int64_t seed = 1;
  std::int64_t subjects = 1;

  void visit(ParameterVisitor& v);
};

/// What defines a subject besides seed and schedule.
struct SubjectTables {
  BrainParameters brain;
  BodyParameters body;

  void visit(ParameterVisitor& v);
};

struct RecordTable {
  RecordParameters& record;

  void visit(ParameterVisitor& v);
};

struct GroupKeys {
  std::string name, label, schedule;
  std::int64_t subjects = 0;

  void visit(ParameterVisitor& v);
};

struct LabelledBlock {
  std::string phase;
  Block block;

  void visit(ParameterVisitor& v);
};

// Overrides besides tables.

struct Counts {
  std::int64_t subjects = 0;

  void visit(ParameterVisitor& v);
};

struct Seed {
  std::int64_t seed = 0;

  void visit(ParameterVisitor& v);
};

struct Quick {
  double trials_factor = 1.0;

  void visit(ParameterVisitor& v);
};

// Names of keys and tables, dotted.

std::vector<std::string> top_level_names();
std::vector<std::string> subject_table_names();  ///< of [brain] and [body]
std::vector<std::string> table_names();          ///< the same and [record]
std::vector<std::string> group_key_names();
std::vector<std::string> block_key_names();
std::vector<std::string> labelled_block_key_names();  ///< the same and `phase`

}  // namespace quartet
