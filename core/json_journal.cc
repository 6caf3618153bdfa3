#include "core/json_journal.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

namespace plumb {

Result<std::unique_ptr<JsonJournal>> JsonJournal::open(const std::string& path, JournalKind kind) {
  std::unique_ptr<JsonJournal> journal(new JsonJournal(path, std::move(kind)));
  std::uint64_t whole_bytes = 0;
  if (std::filesystem::exists(path)) {
    PLUMB_ASSIGN(whole_bytes, journal->scan());
  }
  PLUMB_ASSIGN(journal->file_, AppendFile::open(path, whole_bytes));
  journal->reader_.open(path, std::ios::binary);
  if (!journal->reader_) {
    return Error{path + ": cannot be read; check its owner and mode"};
  }
  return journal;
}

// The bytes of the lines that count. A kill leaves a last line without its end. A power loss can leave the length of a
// file on the disk without the bytes, which then read as zeros, line ends among them lost or not. Nothing that a run
// relied on is in there: what a checkpoint counts was on the disk before it.
Result<std::uint64_t> JsonJournal::scan() {
  std::ifstream file(path_, std::ios::binary);
  std::string line;
  std::uint64_t whole = 0;
  std::uint64_t read = 0;
  std::string damage;
  for (std::int64_t number = 1; std::getline(file, line); ++number) {
    const bool torn = file.eof();
    const std::uint64_t begin = read;
    read += line.size() + (torn ? 0 : 1);
    const auto entry = torn ? Result<nlohmann::json>(Error{"it has no end"}) : entry_of(line);
    if (!entry && damage.empty()) {
      damage = fmt::format("{}:{}: not an entry of {} ({}); put a copy of the file in its place, or remove it: {}",
                           path_, number, kind_.name, entry.error().message, kind_.loss);
    }
    const bool may_be_cut = torn || line.find('\0') != std::string::npos;
    if (entry ? !damage.empty() : !may_be_cut) {
      return Error{damage};
    }
    if (entry) {
      places_.add((*entry)["key"].get_ref<const std::string&>(), begin);
      whole = read;
    }
  }
  if (file.bad() || !file.eof()) {
    return Error{path_ + ": cannot be read to its end; check the disk"};
  }
  if (read > whole) {
    note_ = fmt::format("{}: its last {} bytes were not written whole before plumb or the machine stopped; cut off",
                        path_, read - whole);
  }
  return whole;
}

Result<nlohmann::json> JsonJournal::entry_of(const std::string& line) const {
  try {
    nlohmann::json entry = nlohmann::json::parse(line);
    if (!entry.at("key").is_string()) {
      return Error{"the key is no text"};
    }
    PLUMB_TRY(kind_.check(entry.at(kind_.name)));
    return entry;
  } catch (const nlohmann::json::exception& error) {
    return Error{error.what()};
  }
}

std::optional<nlohmann::json> JsonJournal::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  return find_locked(key);
}

std::optional<nlohmann::json> JsonJournal::find_locked(const std::string& key) {
  for (const std::uint64_t place : places_.find(key)) {
    std::string line;
    reader_.clear();
    reader_.seekg(static_cast<std::streamoff>(place));
    std::getline(reader_, line);
    auto entry = entry_of(line);
    if (!entry) {
      lose(place);
    } else if ((*entry)["key"] == key) {
      return std::move((*entry)[kind_.name]);
    }
  }
  return std::nullopt;
}

void JsonJournal::lose(std::uint64_t place) {
  if (status_.ok()) {
    status_ = Error{fmt::format(
        "{}: the line at byte {} is no longer there; leave the files of a run alone while it goes on", path_, place)};
  }
}

void JsonJournal::add(const std::string& key, const nlohmann::json& value) {
  const std::lock_guard lock(mutex_);
  if (!status_.ok() || find_locked(key)) {
    return;
  }
  const std::uint64_t place = file_->size_bytes();
  status_ = file_->append(nlohmann::json{{"key", key}, {kind_.name, value}}.dump());
  if (status_.ok()) {
    places_.add(key, place);
  }
}

Result<void> JsonJournal::sync() {
  const std::lock_guard lock(mutex_);
  PLUMB_TRY(status_);
  return file_->sync();
}

Result<void> JsonJournal::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace plumb
