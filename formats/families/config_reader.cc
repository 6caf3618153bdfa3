#include "formats/families/config_reader.h"

namespace plumb {

using nlohmann::json;

void ConfigReader::integer(const std::string& key, std::int64_t& target) {
  known_.insert(key);
  if (!has(key)) {
    return;
  }
  if (!object_[key].is_number_integer()) {
    return fail(key, "must be an integer, found " + dump(key));
  }
  constexpr std::int64_t kLimit = std::int64_t{1} << 31;  // so that sums and products of two stay numbers
  if (const auto value = object_[key].get<std::int64_t>(); value >= kLimit || value <= -kLimit) {
    return fail(key, "must lie below 2^31, found " + dump(key));
  }
  target = object_[key].get<std::int64_t>();
}

void ConfigReader::required_integer(const std::string& key, std::int64_t& target) {
  if (!has(key)) {
    fail(key, "is missing");
  }
  integer(key, target);
}

void ConfigReader::real(const std::string& key, float& target) {
  known_.insert(key);
  if (!has(key)) {
    return;
  }
  if (!object_[key].is_number()) {
    return fail(key, "must be a number, found " + dump(key));
  }
  target = static_cast<float>(object_[key].get<double>());
}

void ConfigReader::boolean(const std::string& key, bool& target) {
  known_.insert(key);
  if (!has(key)) {
    return;
  }
  if (!object_[key].is_boolean()) {
    return fail(key, "must be true or false, found " + dump(key));
  }
  target = object_[key].get<bool>();
}

void ConfigReader::text(const std::string& key, std::string& target) {
  known_.insert(key);
  if (!has(key)) {
    return;
  }
  if (!object_[key].is_string()) {
    return fail(key, "must be a text, found " + dump(key));
  }
  target = object_[key].get<std::string>();
}

void ConfigReader::integers(const std::string& key, std::vector<std::int64_t>& target) {
  known_.insert(key);
  if (!has(key)) {
    return;
  }
  if (!object_[key].is_array()) {
    return fail(key, "must be a list of integers, found " + dump(key));
  }
  target.clear();
  for (const json& value : object_[key]) {
    if (!value.is_number_integer()) {
      return fail(key, "must be a list of integers, found " + dump(key));
    }
    target.push_back(value.get<std::int64_t>());
  }
}

const json& ConfigReader::raw(const std::string& key) {
  static const json kNull;
  known_.insert(key);
  return object_.contains(key) ? object_[key] : kNull;
}

void ConfigReader::only(const std::string& key, const json& value) {
  known_.insert(key);
  if (has(key) && object_[key] != value) {
    fail(key, "is " + dump(key) + "; only " + value.dump() + " is supported");
  }
}

void ConfigReader::ignore(std::initializer_list<const char*> keys) {
  known_.insert(keys.begin(), keys.end());
}

void ConfigReader::fail(const std::string& key, const std::string& what) {
  if (error_.ok()) {
    error_ = Error{key + " " + what};
  }
}

void ConfigReader::refuse_other_keys(const std::string& owner) {
  for (const auto& [key, value] : object_.items()) {
    if (!known_.contains(key) && !value.is_null()) {
      return fail(
          key, "is no key that plumb knows of a " + owner +
                   " model; it may change what the model computes, so it is not passed over (here: " + dump(key) + ")");
    }
  }
}

std::string ConfigReader::dump(const std::string& key) const {
  return object_[key].dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 200);
}

}  // namespace plumb
