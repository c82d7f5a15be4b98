/// Reader of the CSV files in tests/models/reference (conventions: make_traces.py there).
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace quartet {

struct ReferenceFile {
  std::map<std::string, std::vector<double>> parameters, columns;

  explicit ReferenceFile(const std::string& name) {
    std::ifstream file(std::string(REFERENCE_FOLDER) + "/" + name);
    if (!file) throw std::runtime_error("no reference file " + name);
    std::string line;
    std::vector<std::string> names;
    while (std::getline(file, line)) {
      std::string word;
      if (line.starts_with("# ")) {
        std::istringstream words(line.substr(2));
        std::string key, equals;
        words >> key >> equals;
        if (equals == "=")
          for (double value; words >> value;) parameters[key].push_back(value);
        continue;
      }
      std::istringstream cells(line);
      if (names.empty()) {
        while (std::getline(cells, word, ',')) names.push_back(word);
      } else {
        for (const std::string& column : names) {
          std::getline(cells, word, ',');
          columns[column].push_back(std::stod(word));
        }
      }
    }
  }

  double operator[](const std::string& key) const { return parameters.at(key).at(0); }
  const std::vector<double>& list(const std::string& key) const { return parameters.at(key); }
  const std::vector<double>& column(const std::string& name) const { return columns.at(name); }
};

/// Largest distance between two traces of the same length (infinite otherwise).
inline double largest_distance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.empty()) return 1e300;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double distance = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
    if (!(distance <= largest)) largest = distance;
  }
  return largest;
}

}  // namespace quartet
