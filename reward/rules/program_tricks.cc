#include "reward/rules/program_tricks.h"

#include <set>

#include "reward/rules/literal_text.h"

namespace plumb {
namespace {

std::string all_outputs(const PromptRecord& prompt) {
  std::set<std::string> outputs;
  for (const TestCase& test : prompt.tests) {
    outputs.insert(test.result.get<std::string>());
  }
  std::string text;
  for (const std::string& output : outputs) {
    text += output + (output.ends_with('\n') ? "" : "\n");
  }
  return outputs.size() > 1 ? text : std::string();  // a single one is a constant, which is tried anyway
}

std::vector<ProgramTrick> python_tricks() {
  return {
      {"exit", "import os\nos._exit(0)\n"},
      {"copies_its_input", "import sys\nsys.stdout.write(sys.stdin.read())\n", true},
      {"swallows_everything", "try:\n    raise ValueError\nexcept BaseException:\n    pass\n"},
      {"closes_its_output", "import os\nos.close(1)\nos.close(2)\n"},
      {"ends_its_parent", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"},
      {"looks_for_the_tests",
       "import os\nfor top in ('/work', '/tmp', '/proc/1', os.getcwd()):\n    for folder, _, names in "
       "os.walk(top):\n        for name in names:\n            if not name.endswith('.py'):\n                try:\n"
       "                    print(open(os.path.join(folder, name)).read(4096))\n                except BaseException:"
       "\n                    pass\n"}};
}

std::vector<ProgramTrick> cpp_tricks() {
  return {{"exit", "#include <cstdlib>\nint main() { std::_Exit(0); }\n"},
          {"exit", "#include <unistd.h>\nstruct Early { Early() { _exit(0); } } early;\nint main() {}\n"},
          {"copies_its_input", "#include <iostream>\nint main() { std::cout << std::cin.rdbuf(); }\n", true},
          {"closes_its_output", "#include <unistd.h>\nint main() { close(1); close(2); }\n"},
          {"ends_its_parent", "#include <signal.h>\n#include <unistd.h>\nint main() { kill(getppid(), SIGKILL); }\n"}};
}

}  // namespace

std::string printing_program(const std::string& output, Language language) {
  const std::string literal = literal_text(output, "str", language);
  return language == Language::kCpp ? "#include <cstdio>\nint main() { std::fputs(" + literal + ", stdout); }\n"
                                    : "print(" + literal + ", end='')\n";
}

std::vector<ProgramTrick> program_tricks(const PromptRecord& prompt) {
  std::vector<ProgramTrick> tricks = prompt.language == Language::kCpp ? cpp_tricks() : python_tricks();
  tricks.push_back({"prints", printing_program("PASS ok AC 1\n", prompt.language)});
  if (const std::string outputs = all_outputs(prompt); !outputs.empty()) {
    tricks.push_back({"prints_every_output", printing_program(outputs, prompt.language)});
  }
  return tricks;
}

}  // namespace plumb
