/// An experiment: what an experiment file says, read, checked and expanded to subjects.
///
/// A file (TOML) gives the brain, the body, schedules of blocks, and groups of subjects. Values
/// come in layers; a later layer wins:
///   1. the defaults in the code,
///   2. the file's [brain], [body], [record] and the text of each block,
///   3. the `set` and `vary` tables of a group (for that group only),
///   4. the [quick] table (unless the run is `--full`),
///   5. `--set key=value`, `--scale`, `--subjects`, `--seed` from the command line.
/// Layers 3–5 are overrides with dotted keys. An override may start with
///   `brain.` `body.` `record.`  as in the file;
///   `block.KEY`                 KEY of every block (of the group's schedule);
///   `block.PHASE.KEY`           KEY of the blocks with `phase = "PHASE"`; within a layer it wins
///                               over `block.KEY`;
///   `group.NAME.KEY`            any of these for group NAME only (layers 4 and 5); within a
///                               layer it wins over the same KEY for all groups;
///   `subjects` `seed`           (layers 4 and 5; [quick] never enlarges a group);
///   `trials_factor`             ([quick] only) multiplies the trials of every block.
///
/// Subject k of every group has the same seed, made from (experiment seed, k): groups are paired,
/// subject by subject, and a larger number of subjects leaves the first ones as they were.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "models/parameters.hpp"
#include "models/task.hpp"
#include "regions/brain.hpp"

namespace quartet {

/// Which regions' spikes are recorded, and of whom.
struct RecordSpikes {
  std::int64_t subjects = 0;
  bool cortex = true;
  bool cerebellum = true;
  bool basal_ganglia = true;
  bool thalamus = true;

  void visit(ParameterVisitor& v);
  /// True where spikes of region `name` are wanted for subject `index` (0-based) of a group.
  bool wants(std::string_view region, std::int64_t index) const;
};

/// What a run writes beside behaviour.nc. Never changes a result.
struct RecordParameters {
  std::int64_t rate_bin_ms = 10;
  std::int64_t rate_subjects = 1;
  std::int64_t weights_subjects = 1;
  RecordSpikes spikes;

  void visit(ParameterVisitor& v);
};

/// A key that was written, and where ("file:line:column", or a flag).
struct Written {
  std::string key;  ///< dotted, without the group's name
  std::string where;
};

/// A number that differs between the subjects of a group: uniform over [low, high], by the
/// subject's seed and the key alone, so that subject k has the same share of any range in every
/// group and in every run.
struct Varied {
  std::string key;  ///< dotted, of [brain] or [body]
  double low = 0, high = 0;
};

/// Subjects under the same conditions, with all layers applied.
struct Group {
  std::string name;   ///< identifier, unique; letters, digits, '_' and (not first) '-'
  std::string label;  ///< for people and figures
  std::int64_t subjects = 1;
  BrainParameters brain;
  BodyParameters body;
  std::vector<Varied> varied;  ///< of its brain and body; no key twice
  std::vector<Block> blocks;
  std::vector<std::string> phases;  ///< label of each block ("" where it has none)

  std::string where;             ///< it begins in the file
  std::vector<Written> written;  ///< for it or for all groups, but for its blocks; a later one wins

  /// Where to look for the cause of what is wrong with the group. `what` may begin with a table
  /// ("brain.cortex: …"). The places of the keys that it names, in full or, of this table, by their
  /// last part; else that of the only key of this table; else `where`.
  std::string place_of(std::string_view what) const;
};

/// Which of the simulated subjects.
struct Member {
  std::size_t group = 0;     ///< index into Experiment::groups
  std::int64_t subject = 0;  ///< 0-based within the group
};

struct Experiment {
  std::string name;  ///< identifier; the file's stem unless the file says otherwise
  std::string title;
  std::string description;
  std::uint64_t seed = 1;
  std::vector<Group> groups;
  RecordParameters record;
  /// What [quick] and the command line leave out of the whole file or change, for people ("3
  /// instead of 20 subjects; brain.scale 0.5 instead of 1.0"); what is not less but different comes
  /// behind "other than in the file: ". Empty for a run as the file says.
  std::string cut;

  BrainParameters brain;    ///< what groups share (their own is in `groups`)
  BodyParameters body;      ///< likewise
  std::string source_text;  ///< the file as given

  /// All subjects: group by group, subject by subject.
  std::vector<Member> members() const;
  /// Seed, brain, body and schedule of one of them.
  Subject subject(const Member& member) const;
  /// Keys that differ between the subjects of some group, in the order of `describe`.
  std::vector<std::string> varied_keys() const;
  /// Whether a block of some group begins with a probe.
  bool has_probes() const;
};

/// From the command line.
struct Overrides {
  std::vector<std::string> set;       ///< --set: "key=value"
  std::vector<std::string> groups;    ///< --group: the only ones; empty: all
  std::string scale, subjects, seed;  ///< values of the flags of these names; empty: not given
  bool full = false;                  ///< --full: ignore [quick]
};

/// All that is wrong with an experiment file, one line each: `file:line:column: what; remedy`
/// (`--set key=value: what; remedy` for an override). What may only follow from something else that
/// is wrong comes when that is mended. what() shows the first 20.
class ExperimentError : public std::runtime_error {
 public:
  explicit ExperimentError(std::vector<std::string> problems);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<std::string> problems_;
};

/// Reads and checks a file. Throws ExperimentError (exit code 2), also where it cannot be read.
Experiment load_experiment(const std::filesystem::path& file, const Overrides& overrides = {});

/// The same from text; `file_name` appears in messages and gives the experiment's name.
Experiment parse_experiment(const std::string& text, const std::string& file_name,
                            const Overrides& overrides = {});

/// What the run is not as the file says, in words for people; empty where it is.
std::string unlike_file(const Experiment& experiment);

/// The experiment as used: every key with its value, unit and meaning, as an experiment file that
/// reads back to the same experiment.
std::string resolved_toml(const Experiment& experiment);

/// Whether a text begins as resolved_toml's do; one that does not is a person's.
bool is_resolved(const std::string& text);

/// SHA-256 (64 hex digits) of all keys and values as used; comments and paths do not count.
std::string config_digest(const Experiment& experiment);

/// Gives the number `key` of a brain or body its value; a key that is none changes nothing.
void set_number(Subject& subject, const std::string& key, double value);

/// A number of a brain or body, and what the code says of it.
struct Number {
  double value = 0;
  std::string unit, doc;
};
/// Those of `keys`, which are in the order of `describe`.
std::vector<Number> numbers_of(const Subject& subject, const std::vector<std::string>& keys);

/// Seed of subject `index` of every group.
std::uint64_t subject_seed(std::uint64_t experiment_seed, std::int64_t index);

/// Reference of all keys, from the code; with `markdown` as tables. `words`: of the keys alone
/// whose name or meaning has one of them, whatever the case; empty where there is none.
std::string describe_keys(bool markdown, const std::vector<std::string>& words = {});

}  // namespace quartet
