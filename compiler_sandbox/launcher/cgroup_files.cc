#include "compiler_sandbox/launcher/cgroup_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

namespace {

bool has_word(const std::string& list, const std::string& word, char separator) {
  std::istringstream words(list);
  std::string one;
  while (std::getline(words, one, separator)) {
    if (one == word) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string read_at(int folder, const char* file) {
  UniqueFd fd(openat(folder, file, O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; fd.valid() && (got = ::read(fd.get(), buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

bool write_at(int folder, const char* file, const std::string& text) {
  UniqueFd fd(openat(folder, file, O_WRONLY | O_CLOEXEC));
  return fd.valid() && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::int64_t keyed_number(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  std::string name;
  std::int64_t value = 0;
  while (lines >> name >> value) {
    if (name == key) {
      return value;
    }
  }
  return 0;
}

OwnGroup own_group(const std::string& controller) {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  std::string path;
  while (std::getline(groups, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string names = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? names.empty() : has_word(names, controller, ',')) {
      path = line.substr(second + 1);
    }
  }
  std::ifstream mounts("/proc/self/mountinfo");
  while (!path.empty() && std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point, word, type, source, options;
    fields >> id >> parent >> device >> root >> point;
    while (fields >> word && word != "-") {
    }
    fields >> type >> source >> options;
    const bool match = controller.empty() ? type == "cgroup2" : type == "cgroup" && has_word(options, controller, ',');
    if (match) {
      const bool below = root != "/" && path.starts_with(root);
      return {point, point + (below ? path.substr(root.size()) : path)};
    }
  }
  return {};
}

}  // namespace plumb
