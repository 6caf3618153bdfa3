#pragma once
// The values of a Jinja program, with the meaning that Python gives them.

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace plumb {

struct JinjaNode;
struct JinjaScope;
class JinjaValue;

using JinjaList = std::vector<JinjaValue>;
using JinjaDict = std::vector<std::pair<std::string, JinjaValue>>;  // in order of insertion

/// A macro with the scope that it was defined in, both owned by others.
struct JinjaMacro {
  const JinjaNode* node = nullptr;
  JinjaScope* scope = nullptr;
  bool operator==(const JinjaMacro&) const = default;
};

/// A namespace, the one thing that changes; owned by the interpreter.
struct JinjaNamespace {
  JinjaDict members;
};

/// What "loop" is within a loop.
struct JinjaLoop {
  const JinjaList* items = nullptr;
  std::size_t index = 0;
};

/// A global function, or a method of `self`.
struct JinjaFunction {
  std::string name;
  std::shared_ptr<const JinjaValue> self;
};

struct JinjaUndefined {
  std::string name;
};
struct JinjaNone {};

/// Immutable but for namespaces; copies share text, lists and dictionaries. Throws JinjaFailure where Python raises.
class JinjaValue {
 public:
  using Text = std::shared_ptr<const std::string>;
  using List = std::shared_ptr<const JinjaList>;
  using Dict = std::shared_ptr<const JinjaDict>;

  JinjaValue() : value_(JinjaNone{}) {}
  JinjaValue(JinjaUndefined value) : value_(std::move(value)) {}
  JinjaValue(bool value) : value_(value) {}
  JinjaValue(std::int64_t value) : value_(value) {}
  JinjaValue(double value) : value_(value) {}
  JinjaValue(std::string value);  // this and the next two throw where a value would be too large
  JinjaValue(const char* value) : JinjaValue(std::string(value)) {}
  JinjaValue(JinjaList value, bool is_tuple = false);
  JinjaValue(JinjaDict value);
  JinjaValue(JinjaMacro value) : value_(value) {}
  JinjaValue(JinjaNamespace* value) : value_(value) {}
  JinjaValue(std::shared_ptr<JinjaLoop> value) : value_(std::move(value)) {}
  JinjaValue(JinjaFunction value);

  template <typename T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&value_);
  }
  [[nodiscard]] bool is_undefined() const { return get<JinjaUndefined>() != nullptr; }
  [[nodiscard]] bool is_none() const { return get<JinjaNone>() != nullptr; }
  [[nodiscard]] bool is_text() const { return get<Text>() != nullptr; }
  [[nodiscard]] bool is_tuple() const { return is_tuple_; }
  [[nodiscard]] const JinjaList* list() const { return get<List>() == nullptr ? nullptr : get<List>()->get(); }
  [[nodiscard]] const JinjaDict* dict() const { return get<Dict>() == nullptr ? nullptr : get<Dict>()->get(); }
  /// An integer or a truth value.
  [[nodiscard]] bool is_integer() const { return get<std::int64_t>() != nullptr || get<bool>() != nullptr; }
  [[nodiscard]] bool is_number() const { return is_integer() || get<double>() != nullptr; }

  /// The text of a string. Throws for other values; `what` asks for it.
  [[nodiscard]] const std::string& text(std::string_view what) const;
  [[nodiscard]] std::int64_t integer(std::string_view what) const;
  [[nodiscard]] double number(std::string_view what) const;

  /// Python's bool().
  [[nodiscard]] bool truth() const;
  /// Python's str(): what printing shows; an undefined value is empty.
  [[nodiscard]] std::string str() const;
  /// Python's repr().
  [[nodiscard]] std::string repr() const;
  /// The items that a loop over it yields: of a list, keys, characters, none of an undefined value.
  [[nodiscard]] JinjaList items(std::string_view what) const;
  /// "str", "int", "list", ...: Python's name of the type.
  [[nodiscard]] std::string type_name() const;

  /// All that hangs below, in values and 64 bytes of text.
  [[nodiscard]] std::uint32_t weight() const { return weight_; }

 private:
  std::variant<JinjaUndefined, JinjaNone, bool, std::int64_t, double, Text, List, Dict, JinjaMacro, JinjaNamespace*,
               std::shared_ptr<JinjaLoop>, JinjaFunction>
      value_;
  bool is_tuple_ = false;
  // Of lists in lists, and of all that hangs below, counted at each place that it hangs at: what walks a value, its
  // destruction included, goes no deeper and meets no more.
  std::int16_t depth_ = 0;
  std::uint32_t weight_ = 1;
};

/// The most bytes of a text.
inline constexpr std::size_t kMaxJinjaText = std::size_t{1} << 26;

/// Throws where a text of `size` bytes would be too large.
void check_jinja_size(std::size_t size);

/// Python's == and <. The latter throws for values that have no order.
bool jinja_equal(const JinjaValue& a, const JinjaValue& b);
bool jinja_less(const JinjaValue& a, const JinjaValue& b);
/// Python's `item in container`.
bool jinja_contains(const JinjaValue& container, const JinjaValue& item);

/// The value under `key`; null if there is none.
const JinjaValue* jinja_find(const JinjaDict& dict, std::string_view key);
void jinja_set(JinjaDict& dict, const std::string& key, JinjaValue value);

JinjaValue jinja_from_json(const nlohmann::ordered_json& json);

/// json.dumps(value, ensure_ascii=False, indent=`indent`), -1: on one line. `sort_keys` as there.
std::string jinja_to_json(const JinjaValue& value, int indent, bool sort_keys, const std::string& item_separator,
                          const std::string& key_separator);

/// Python's repr() of a float.
std::string jinja_float(double value);

/// The characters of UTF-8 text, each as text.
std::vector<std::string_view> jinja_characters(std::string_view text);
std::size_t jinja_length(std::string_view text);

}  // namespace plumb
