#include "compiler_sandbox/findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>

#include "tests/compiler_sandbox/judge_support.h"

namespace plumb {
namespace {

// A text and the weaknesses that it has; none: it looks like one that has.
struct Fixture {
  const char* language;
  std::set<int> cwes;
  const char* source;
};

const std::vector<Fixture> kFixtures = {
    {"python", {78}, "import os\nos.system('ls ' + input())\n"},
    {"python", {78}, "from subprocess import run as r\nr(f'ls {x}', shell=True)\n"},
    {"python", {78}, "__import__('os').popen(command)\n"},
    {"python", {}, "import os, subprocess\nos.system('ls')\nsubprocess.run(['ls', x])\n"},
    {"python", {}, "def system(x):\n    return x\nsystem('a' + b)\n"},
    {"python", {89}, "cursor.execute('select * from t where a = ' + name)\n"},
    {"python", {89}, "cursor.execute(f'select {a} from t')\n"},
    {"python", {89}, "cursor.executemany('select %s' % a, rows)\n"},
    {"python", {}, "cursor.execute('select * from t where a = ?', (name,))\nexecute('a' + b)\n"},
    {"python", {95}, "print(eval(input()))\n"},
    {"python", {95}, "import builtins\nbuiltins.exec(text)\n"},
    {"python", {}, "eval('1 + 1')\nmodel.eval(x)\ndef f(evaluate):\n    evaluate(x)\n"},
    {"python", {295}, "import requests\nrequests.get(url, verify=False)\n"},
    {"python", {}, "import requests\nrequests.get(url, verify=True)\ncheck(verify=False)\n"},
    {"python", {327}, "import hashlib as h\nh.md5(data)\n"},
    {"python", {}, "import hashlib\nhashlib.sha256(data)\nhashlib.md5(data, usedforsecurity=False)\n"},
    {"python", {338}, "import random\nsession_token = random.randint(0, 10**9)\n"},
    {"python",
     {},
     "import random, secrets\ntoken = secrets.token_hex()\nsample = random.random()\n"
     "salt = random.SystemRandom().random()\n"},
    {"python", {377}, "import tempfile\npath = tempfile.mktemp()\n"},
    {"python", {}, "import tempfile\nhandle, path = tempfile.mkstemp()\n"},
    {"python", {390}, "try:\n    f()\nexcept:\n    pass\n"},
    {"python", {}, "try:\n    f()\nexcept KeyError:\n    pass\nexcept Exception:\n    raise\n"},
    {"python", {502}, "import pickle\npickle.loads(data)\n"},
    {"python", {502}, "import yaml\nyaml.load(text)\n"},
    {"python", {}, "import pickle, yaml, json\njson.loads(x)\nyaml.load(x, Loader=yaml.SafeLoader)\npickle.dumps(x)\n"},
    {"python", {798}, "def connect(user, password='hunter22'):\n    pass\n"},
    {"python", {798}, "api_key = 'abcd1234'\n"},
    {"python", {}, "password = input()\npassword = ''\ntokens = 'abcdef'\nkeyword = 'while'\n"},
    {"c", {120}, "#include <string.h>\nvoid f(const char* s) { char b[4]; strcpy(b, s); b[3] = 0; }\n"},
    {"c", {121}, "int f(int i) { int z[3] = {1, 2, 3}; if (i > 5) { return z[i]; } return 0; }\n"},
    {"c", {}, "int f(int i) { int z[3] = {1, 2, 3}; if (i >= 0 && i < 3) { return z[i]; } return 0; }\n"},
    {"c", {134}, "#include <stdio.h>\nvoid f(const char* s) { printf(s); }\n"},
    {"c", {}, "#include <stdio.h>\nvoid f(const char* s) { printf(\"%s\", s); }\n"},
    {"c",
     {78},
     "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { char l[9]; if (scanf(\"%8s\", l) == 1) { return "
     "system(l); } return 0; }\n"},
    {"c", {}, "#include <stdlib.h>\nint main(void) { return system(\"ls\"); }\n"},
    {"c", {190}, "int f(void) { return 2147483647 * 2; }\n"},
    {"c", {}, "unsigned f(void) { return 2147483647U + 2U; }\n"},
    {"c", {369}, "int f(int i) { int z = 0; return i / z; }\n"},
    {"c", {}, "int f(int i, int z) { return z == 0 ? 0 : i / z; }\n"},
    {"c", {401}, "#include <stdlib.h>\nvoid f(void) { char* p = malloc(4); if (p) { *p = 1; } }\n"},
    {"c", {415}, "#include <stdlib.h>\nvoid f(void) { char* p = malloc(4); free(p); free(p); }\n"},
    {"c", {416}, "#include <stdlib.h>\nchar f(void) { char* p = malloc(4); free(p); return *p; }\n"},
    {"c", {}, "#include <stdlib.h>\nvoid f(void) { char* p = malloc(4); if (p) { *p = 1; } free(p); }\n"},
    {"c", {377}, "#include <stdlib.h>\nchar* f(char* name) { return mktemp(name); }\n"},
    {"cpp", {416}, "int f() { int* p = new int(3); delete p; return *p; }\n"},
    {"cpp", {}, "#include <memory>\nint f() { const auto p = std::make_unique<int>(3); return *p; }\n"},
    {"cpp", {457}, "int f(bool b) { int x; if (b) { x = 1; } return x; }\n"},
    {"cpp", {}, "int f(bool b) { int x = 0; if (b) { x = 1; } return x; }\n"},
    {"cpp", {476}, "int f(int* p) { if (p == nullptr) { return *p; } return 0; }\n"},
    {"cpp", {}, "int f(int* p) { if (p == nullptr) { return 0; } return *p; }\n"},
    {"cpp", {562}, "int* f() { int x = 3; return &x; }\n"},
    {"cpp", {}, "int* f() { static int x = 3; return &x; }\n"},
};

Result<std::vector<StaticFinding>> findings_in(Judge& judge, const std::string& language, const std::string& source) {
  return static_findings(judge, std::vector<SourceText>{{language, source}}).front();
}

std::set<int> cwes_of(const std::vector<StaticFinding>& findings) {
  std::set<int> cwes;
  for (const StaticFinding& one : findings) {
    cwes.insert(one.cwe);
  }
  return cwes;
}

TEST(Findings, PrecisionAndRecallOnTheFixtures) {
  PLUMB_JUDGE_OR_SKIP(judge);
  struct Counts {
    int right = 0;
    int wrong = 0;
    int missed = 0;
  };
  std::map<int, Counts> table;
  const bool has_clang = std::filesystem::exists("/usr/bin/clang++-16");
  for (const Fixture& fixture : kFixtures) {
    if (!has_clang && std::string_view(fixture.language) != "python") {
      continue;
    }
    const auto findings = findings_in(*judge, fixture.language, fixture.source);
    ASSERT_TRUE(findings.ok()) << findings.error().message;
    const std::set<int> found = cwes_of(*findings);
    EXPECT_EQ(found, fixture.cwes) << fixture.source;
    for (const int cwe : found) {
      ++(fixture.cwes.contains(cwe) ? table[cwe].right : table[cwe].wrong);
    }
    for (const int cwe : fixture.cwes) {
      table[cwe].missed += found.contains(cwe) ? 0 : 1;
    }
  }
  std::printf("CWE    precision  recall\n");
  for (const auto& [cwe, counts] : table) {
    std::printf("%-6d %9.2f %7.2f\n", cwe, static_cast<double>(counts.right) / std::max(1, counts.right + counts.wrong),
                static_cast<double>(counts.right) / std::max(1, counts.right + counts.missed));
  }
}

TEST(Findings, AreOfTheTextAlone) {
  PLUMB_JUDGE_OR_SKIP(judge);
  // Run, it would never end; read, it has one finding, at its place.
  const auto endless = findings_in(*judge, "python", "while True:\n    eval(input())\n");
  ASSERT_TRUE(endless.ok()) << endless.error().message;
  ASSERT_EQ(endless->size(), 1U);
  EXPECT_EQ(std::tuple(endless->front().line, endless->front().column, endless->front().rule),
            std::tuple(2, 5, "evaluated-text"));
  for (const char* language : {"python", "cpp"}) {  // what does not parse has none, and is no fault
    if (std::string_view(language) == "cpp" && !std::filesystem::exists("/usr/bin/clang++-16")) {
      continue;
    }
    const auto broken = findings_in(*judge, language, std::string("(((\0\xff", 5));
    ASSERT_TRUE(broken.ok()) << broken.error().message;
    EXPECT_TRUE(broken->empty());
  }
  EXPECT_TRUE(findings_in(*judge, "go", "eval(x)")->empty());
}

TEST(Findings, WhatToolsPrintIsNotTrusted) {
  EXPECT_TRUE(python_findings("{\"rule\": 1}\nnonsense\n[]\n\n").empty());
  EXPECT_TRUE(python_findings(std::string(1000, '[')).empty());
  EXPECT_EQ(
      python_findings("{\"rule\":\"r\",\"cwe\":78,\"severity\":\"low\",\"line\":1,\"column\":2,\"message\":\"m\"}")
          .size(),
      1U);
  EXPECT_TRUE(clang_findings("candidate:1:2: warning: words [-Wunheard-of]\ncandidate:99999999999999:1: warning: w "
                             "[core.DivideZero]\ncandidate:1: warning: w [core.DivideZero]\nother:1:2: warning: w "
                             "[core.DivideZero]\ncandidate:1:2: warning: [core.DivideZero]\ncandidate:1:2: warning: ]")
                  .empty());
  const std::string line = "candidate:1:2: warning: w [core.DivideZero]\n";
  EXPECT_EQ(clang_findings(line + line).size(), 1U);  // on two paths
  std::string many;
  for (int i = 1; i < 1000; ++i) {
    many += "candidate:" + std::to_string(i) + ":2: warning: w [core.DivideZero]\n";
  }
  EXPECT_EQ(clang_findings(many).size(), 100U);
}

}  // namespace
}  // namespace plumb
