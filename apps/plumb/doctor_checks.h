#pragma once
// What plumb needs of a machine, looked at one by one.

#include <string>
#include <vector>

namespace plumb {

enum class Health {
  kGood,
  kLimited,  // works, with less speed or fewer features
  kMissing,  // what plumb is for cannot run
};

std::string to_string(Health health);  // "ok", "limited", "missing"

struct Finding {
  std::string name;  // "processor", "memory", ...
  Health health = Health::kGood;
  std::string found;
  std::string remedy;  // a sentence; empty where nothing is to be done
};

/// All findings, in the order they are shown. Runs the compilers for their versions; takes less than a second.
std::vector<Finding> examine_machine();

}  // namespace plumb
