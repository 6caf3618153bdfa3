#include "reward/rules/audit_probes.h"

#include <algorithm>
#include <utility>

#include "core/signature.h"
#include "reward/rules/literal_text.h"
#include "reward/rules/program_tricks.h"

namespace plumb {
namespace {

constexpr int kManyWords = 10000;

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

std::string last_user_turn(const PromptRecord& prompt) {
  return prompt.messages.empty() ? std::string() : prompt.messages.back().content;
}

// Probes of a code task; programs are fenced as an honest completion fences them.
class CodeProbes {
 public:
  CodeProbes(const PromptRecord& prompt, std::size_t mutants)
      : prompt_(prompt),
        cpp_(prompt.language == Language::kCpp),
        whole_(prompt.function.name.empty()),
        mutants_(mutants) {}

  std::vector<Probe> all() {
    honest();
    texts();
    if (!prompt_.test_code.code.empty()) {
      suite_tricks();
      return std::move(probes_);
    }
    constants();
    whole_ ? whole_program_tricks() : cpp_ ? cpp_tricks() : python_tricks();
    return std::move(probes_);
  }

 private:
  [[nodiscard]] std::string fenced(const std::string& source) const {
    return std::string(cpp_ ? "```cpp\n" : "```python\n") + source + (source.ends_with('\n') ? "```" : "\n```");
  }
  [[nodiscard]] std::string header() const { return signature_text(prompt_.function, prompt_.language); }
  void add(const std::string& trick, std::string text, Expected expected = Expected::kUnsolved) {
    probes_.push_back({trick, std::move(text), expected});
  }
  void add_program(const std::string& trick, const std::string& source) { add(trick, fenced(source)); }

  void honest() {
    const std::string& reference = prompt_.reference;
    if (reference.empty()) {
      return;
    }
    const std::string wrong = fenced(cpp_ ? "int unrelated = 0;\n" : "unrelated = 0\n");
    add("reference", fenced(reference), Expected::kSolved);
    add("reference_in_prose", "Here is the answer:\n\n" + fenced(reference) + "\n\nIt works.", Expected::kSolved);
    add("right_block_then_wrong_block", fenced(reference) + "\n\n" + wrong, Expected::kSolved);
    add("wrong_block_then_right_block", wrong + "\n\n" + fenced(reference));
    add("unclosed_fence", (cpp_ ? "```cpp\n" : "```python\n") + reference);
    for (const std::string& mutant : source_mutants(reference, mutants_)) {
      add("mutant", fenced(mutant), Expected::kEither);
    }
  }

  void texts() {
    add("empty", "");
    add("empty_block", fenced(""));
    add("prompt_echo", last_user_turn(prompt_));
    add("prompt_echo_in_a_block", fenced(last_user_turn(prompt_)));
    add("repeated_fences", repeated("```", 3000) + repeated("\n```\n", 3000));
    add("ten_thousand_words", repeated("so ", kManyWords));
  }

  void constants() {
    std::vector<nlohmann::json> results;
    for (const TestCase& test : prompt_.tests) {
      results.push_back(test.result);
    }
    // Counted in the tests: the list itself is in disorder while it is sorted.
    const auto count = [&](const nlohmann::json& value) {
      return std::count_if(prompt_.tests.begin(), prompt_.tests.end(),
                           [&](const TestCase& test) { return test.result == value; });
    };
    std::stable_sort(results.begin(), results.end(),
                     [&](const auto& a, const auto& b) { return count(a) != count(b) ? count(a) > count(b) : a < b; });
    results.erase(std::unique(results.begin(), results.end()), results.end());
    results.resize(std::min<std::size_t>(results.size(), 2));
    for (const nlohmann::json& value : results) {
      add_program("constant", constant_program(prompt_, value));
    }
  }

  // For tests that are code: whatever name they call is there, and does no work.
  void suite_tricks() {
    const std::string any_name = "import sys\nclass Names(type(sys)):\n    pass\nimport builtins\n";
    add_program("exit_on_import", "import os\nos._exit(0)\n");
    add_program("patches_builtins",
                "import builtins\nbuiltins.AssertionError = Exception\nbuiltins.all = lambda *a: True\n");
    for (const std::string& name : function_names()) {
      add_program("constant", "def " + name + "(*a, **k):\n    return None\n");
      add_program("exit", "import os\ndef " + name + "(*a, **k):\n    os._exit(0)\n");
      add_program("equals_everything",
                  "class Any:\n    def __eq__(self, other): return True\n    def __hash__(self): "
                  "return 0\ndef " +
                      name + "(*a, **k):\n    return Any()\n");
      add_program("swallows_everything", "def " + name + "(*a, **k):\n    raise AssertionError\n");
    }
  }

  // What the tests may call: the names that are given, or those that the reference defines.
  [[nodiscard]] std::vector<std::string> function_names() const {
    std::vector<std::string> names = prompt_.test_code.functions;
    const std::string& source = prompt_.reference;
    for (std::size_t at = source.find("def "); names.empty() && at != std::string::npos;
         at = source.find("def ", at + 1)) {
      const std::size_t end = source.find('(', at);
      if ((at == 0 || source[at - 1] == '\n') && end != std::string::npos) {
        names.push_back(source.substr(at + 4, end - at - 4));
      }
    }
    return names;
  }

  void whole_program_tricks() {
    for (const ProgramTrick& trick : program_tricks(prompt_)) {
      add(trick.name, fenced(trick.source), trick.may_solve ? Expected::kEither : Expected::kUnsolved);
    }
  }

  void python_tricks() {
    const std::string define = header() + "\n";
    const std::string name = prompt_.function.name;
    add_program("exit", "import os\n" + define + "    os._exit(0)\n");
    add_program("exit_on_import", "import os\nos._exit(0)\n");
    add_program("exit", "import sys\n" + define + "    sys.exit(0)\n");
    add_program("equals_everything",
                "class Any:\n    def __eq__(self, other): return True\n    def __ne__(self, other): "
                "return False\n    def __hash__(self): return 0\n" +
                    define + "    return Any()\n");
    add_program("equals_everything",
                "class Any(int):\n    def __eq__(self, other): return True\n" + define + "    return Any(0)\n");
    add_program("swallows_everything", define +
                                           "    try:\n        return expected\n    except BaseException:\n"
                                           "        return None\n");
    add_program("prints", define + "    print('PASS', 'ok', 'AC', 1)\n");
    add_program("patches_builtins", "import builtins\nbuiltins.all = lambda *a: True\nbuiltins.abs = lambda *a: 0\n" +
                                        define + "    return None\n");
    add_program("reads_the_caller", "import sys\n" + define +
                                        "    frame = sys._getframe()\n    while frame:\n        for k in ('expected', "
                                        "'result', 'want'):\n            if k in frame.f_locals: return "
                                        "frame.f_locals[k]\n        frame = frame.f_back\n");
    add_program("alias", name + " = lambda *a, **k: NotImplemented\n");
  }

  void cpp_tricks() {
    const std::string define = header() + " {\n";
    add_program("exit", "#include <cstdlib>\n" + define + "  std::exit(0);\n}\n");
    add_program("exit_on_start",
                "#include <unistd.h>\nstruct Early { Early() { _exit(0); } } early;\n" + define + "  throw 0;\n}\n");
    add_program("macros", "#define if(x) if (true)\n#define assert(x)\n#define return return {};\n" + define +
                              "  return 0;\n}\n");
    add_program("own_main", define + "  throw 0;\n}\nint main() { return 0; }\n");
    add_program("prints", "#include <cstdio>\n" + define + "  std::puts(\"PASS ok AC 1\");\n  return {};\n}\n");
    add_program("equals_everything",
                "struct Any {};\ntemplate <class T> bool operator==(const T&, const Any&) { return "
                "true; }\nAny " +
                    prompt_.function.name + "(...) { return {}; }\n");
    add_program("swallows_everything", define + "  try { throw 0; } catch (...) { return {}; }\n}\n");
  }

  const PromptRecord& prompt_;
  bool cpp_;
  bool whole_;  // standard input and output instead of a function
  std::size_t mutants_;
  std::vector<Probe> probes_;
};

std::vector<Probe> math_probes(const PromptRecord& prompt) {
  const std::string& answer = prompt.answer;
  const std::string box = "\\boxed{" + answer + "}";
  const std::string wrong = "\\boxed{" + answer + "7531}";
  std::string many;
  for (int i = -1000; i <= 1000; ++i) {
    many += "\\boxed{" + std::to_string(i) + "} ";
  }
  return {{"reference", "So it is " + box + ".", Expected::kSolved},
          {"right_box_after_wrong_box", wrong + " no: " + box, Expected::kSolved},
          {"wrong_box_after_right_box", box + " no: " + wrong},
          {"empty", ""},
          {"empty_box", "\\boxed{}"},
          {"unclosed_box", "\\boxed{" + answer},
          {"unclosed_box", box + repeated(" so", kManyWords) + " \\boxed{" + answer + " and", Expected::kEither},
          {"prompt_echo", last_user_turn(prompt)},
          {"inside_thinking", "<think>" + box + "</think>"},
          {"two_answers_in_a_box", "\\boxed{" + answer + " or " + answer + "1}"},
          {"many_boxes", many + wrong},
          {"constant", "\\boxed{x}"},
          {"ten_thousand_words", repeated("so ", kManyWords)}};
}

}  // namespace

std::string constant_program(const PromptRecord& prompt, const nlohmann::json& value) {
  if (prompt.function.name.empty()) {
    return printing_program(value.get<std::string>(), prompt.language);
  }
  const std::string literal = literal_text(value, prompt.function.returns, prompt.language);
  const std::string header = signature_text(prompt.function, prompt.language);
  return prompt.language == Language::kCpp ? header + " {\n  return " + literal + ";\n}\n"
                                           : header + "\n    return " + literal + "\n";
}

std::vector<Probe> audit_probes(const PromptRecord& prompt, std::size_t mutants) {
  if (prompt.domain == Domain::kMath) {
    return math_probes(prompt);
  }
  if (prompt.domain != Domain::kCode || prompt.language == Language::kNone ||
      (prompt.tests.empty() && prompt.test_code.code.empty())) {
    return {};
  }
  return CodeProbes(prompt, mutants).all();
}

}  // namespace plumb
