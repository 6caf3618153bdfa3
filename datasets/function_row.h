#pragma once
// Rows in plumb's own function schema: signature, typed test cases, references, languages.

#include <span>
#include <string>
#include <vector>

#include "core/records.h"
#include "datasets/row.h"

namespace plumb {

/// Whether a value is exactly of a task type: int is an integer of 32 bits, float a finite number, str UTF-8 text.
bool is_of_type(const nlohmann::json& value, std::string_view type);

/// Whether `name` can name a function or parameter in C++ and in Python alike: an ASCII identifier, no keyword.
bool is_usable_name(std::string_view name);

/// The cases at `key`: [{"args": [...], "result": ...}, ...] checked against the signature; integers where a float is
/// due become floats, so that the judge's strict comparison meets one type. Empty where the key is absent.
Result<std::vector<TestCase>> read_cases(const Row& row, const char* key, const FunctionSignature& function);

/// The prompts of one function row, one per language of the row that is in `languages` (empty = any).
/// `audit` holds the row's audit cases from elsewhere, used where the row has none itself.
Result<std::vector<PromptRecord>> read_function_row(const Row& row, std::span<const Language> languages,
                                                    const nlohmann::json* audit);

/// "Write a Python function that <description>\n`<signature>`\nAnswer with one code block.": the prompt of a function
/// task. `description` is a phrase such as "returns the sum of a list."; "Return the sum of a list" reads the same, and
/// any other sentence with a capital letter is put as "Write a Python function for this: <description>".
std::string function_prompt(const std::string& description, const FunctionSignature& function, Language language);

}  // namespace plumb
