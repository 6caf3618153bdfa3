// What a program sees and reaches from inside. Each program returns the list of what it should not have been able to
// do.

#include "compiler_sandbox/isolation.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "judge_support.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

using test::add_submission;
using test::describe;

void expect_nothing_found(Judge& judge, const std::string& body) {
  const Evidence evidence = judge.judge(test::make_submission(
      Language::kPython, "def look():\n    found = []\n" + body + "    print(found)\n    return found\n",
      {"look", {}, "list[str]"}, "[[[], []]]"));
  EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
}

TEST(Isolation, NoFileOfThisMachineIsSeen) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_nothing_found(
      *judge,
      "    import os\n"
      "    for p in ['/etc/passwd', '/etc/shadow', '/etc/hostname', '/root', '/home', '/proc/1/environ',\n"
      "              '/sys', '/run', '/var', '/opt', '/srv', '/boot', '/dev/tty', '/dev/shm',\n"
      "              '/dev/mem', '/usr/local/bin', '" PLUMB_SOURCE_DIR "', '" PLUMB_BINARY_DIR
      "']:\n"
      "        if os.path.lexists(p):\n            found.append(p)\n"
      "    found += sorted(set(os.listdir('/')) - {'bin', 'lib', 'lib64', 'sbin', 'usr', 'dev', 'etc', 'work',\n"
      "                                            'tmp', 'cache', 'proc'})\n"
      "    if os.path.exists('/proc/self'):\n        found.append('a process of its own')\n"
      "    found += [p for p in os.listdir('/proc') if (p, os.readlink('/proc/' + p)) != ('self', '../work/.proc')]\n"
      "    found += sorted(set(os.listdir('/dev')) - {'null', 'zero', 'urandom'})\n"
      "    found += sorted(set(os.listdir('/etc')) - {'ld.so.cache', 'java-17-openjdk'})\n");
}

TEST(Isolation, NothingCanBeWrittenButThePrivateFolder) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_nothing_found(
      *judge,
      "    import os\n"
      "    for p in ['/', '/usr', '/usr/lib/python3', '/etc', '/cache', '/dev', '/bin', '/usr/local']:\n"
      "        try:\n            os.close(os.open(p + '/plumb_was_here', os.O_CREAT | os.O_WRONLY))\n"
      "            found.append(p)\n        except OSError:\n            pass\n"
      "    for p in ['/etc/ld.so.cache', '/usr/bin/python3', '/usr/bin/g++']:\n"
      "        try:\n            os.close(os.open(p, os.O_WRONLY))\n            found.append(p)\n"
      "        except OSError:\n            pass\n"
      "    cached = [d + '/' + f for d, _, files in os.walk('/cache') for f in files]\n"
      "    if not cached:\n        found.append('the cache is empty')\n"
      "    for f in cached:\n        try:\n            os.unlink(f)\n            found.append(f)\n"
      "        except OSError:\n            pass\n"
      "    try:\n        os.mknod('/work/disk', 0o60666, 0x0801)\n        found.append('device')\n"
      "    except OSError:\n        pass\n"
      "    found += [p + ' is not read-only' for p in ('/', '/usr', '/cache', '/etc', '/dev')\n"
      "              if not os.statvfs(p).f_flag & os.ST_RDONLY]\n"
      "    found += [p + ' allows set-user-id' for p in ('/', '/usr', '/cache', '/work')\n"
      "              if not os.statvfs(p).f_flag & os.ST_NOSUID]\n"
      "    open('/tmp/mine', 'w').write('x')\n    open('/work/mine', 'w').write('x')\n");
}

TEST(Isolation, NoNetworkAndNoOtherWayOut) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_nothing_found(*judge,
                       "    import socket\n"
                       "    for family in [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, "
                       "socket.AF_PACKET, 40]:\n"
                       "        for kind in [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW]:\n"
                       "            try:\n                socket.socket(family, kind)\n"
                       "                found.append('socket %d %d' % (family, kind))\n"
                       "            except OSError:\n                pass\n");
  // Numbers of x86-64: what has no business in a judged program is refused, whatever its arguments.
  expect_nothing_found(
      *judge,
      "    import ctypes, errno\n    call = ctypes.CDLL(None, use_errno=True).syscall\n"
      "    names = {'ptrace': 101, 'mount': 165, 'umount2': 166, 'unshare': 272, 'setns': 308, 'bpf': 321, 'chroot': "
      "161,\n"
      "             'io_uring_setup': 425, 'keyctl': 250, 'add_key': 248, 'userfaultfd': 323, 'perf_event_open': 298,\n"
      "             'process_vm_readv': 310, 'pidfd_open': 434, 'clone3': 435, 'shmget': 29, 'semget': 64, 'msgget': "
      "68,\n"
      "             'mq_open': 240, 'personality': 135, 'socketpair': 53, 'setuid': 105, 'capset': 126, 'pivot_root': "
      "155,\n"
      "             'init_module': 175, 'reboot': 169, 'settimeofday': 164, 'sethostname': 170, 'swapon': 167, 'iopl': "
      "172,\n"
      "             'kexec_load': 246, 'open_by_handle_at': 304, 'name_to_handle_at': 303, 'fanotify_init': 300,\n"
      "             'memfd_create': 319, 'seccomp': 317, 'landlock_create_ruleset': 444, 'open_tree': 428, 'fsopen': "
      "430}\n"
      "    for name, number in names.items():\n        ctypes.set_errno(0)\n"
      "        if call(number, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):\n"
      "            found.append(name)\n"
      "    for flag in [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]:\n"
      "        if call(56, flag | 17, 0, 0, 0, 0) != -1:\n            found.append('clone %x' % flag)\n"
      "    buffer = ctypes.create_string_buffer(64)\n"
      "    for request in [0x5412, 0x541C, 0x5403]:\n"
      "        if call(16, 0, request, buffer) != -1:\n            found.append('ioctl %x' % request)\n");
}

TEST(Isolation, NoPrivilegeIsLeft) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_nothing_found(
      *judge,
      "    import ctypes, os, resource\n    libc = ctypes.CDLL(None)\n"
      "    found += ['uid %d' % i for i in (os.getuid(), os.geteuid(), os.getgid()) if i == 0]\n"
      "    found += ['group' for g in os.getgroups() if g == 0]\n"
      "    found += ['capability %d' % c for c in range(41) if libc.prctl(23, c, 0, 0, 0) != 0]\n"
      "    if libc.prctl(39, 0, 0, 0, 0) != 1:\n        found.append('new privileges')\n"
      "    if libc.prctl(21, 0, 0, 0, 0) != 2:\n        found.append('no filter')\n"
      "    for name in ['CPU', 'FSIZE', 'CORE', 'NPROC', 'NOFILE', 'STACK']:\n"
      "        kind = getattr(resource, 'RLIMIT_' + name)\n"
      "        try:\n            resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
      "            found.append(name)\n        except (OSError, ValueError):\n            pass\n");
}

TEST(Isolation, NoSecretAndNoDescriptorComesAlong) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_nothing_found(
      *judge,
      "    import os\n"
      "    found += [k + '=' + v for k, v in os.environ.items() if k not in ('PYTHONHASHSEED', 'PYTHONUTF8',\n"
      "              'LC_ALL', 'LC_CTYPE')]\n"
      "    for fd in range(4, 256):\n        try:\n            os.fstat(fd)\n"
      "            found.append('descriptor %d' % fd)\n        except OSError:\n            pass\n");
}

TEST(Isolation, OtherProcessesAreOutOfReach) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_nothing_found(
      *judge,
      "    import os, signal\n"
      "    for pid in [1] + list(range(3, 400)):\n"
      "        for s in (signal.SIGSTOP, signal.SIGKILL):\n"
      "            try:\n                if pid != os.getpid():\n                    os.kill(pid, s)\n"
      "                    found.append('signal to %d' % pid)\n"
      "            except OSError:\n                pass\n"
      "    if os.getppid() > 1 or os.getpid() > 10:\n        found.append('no own process namespace')\n");
  // Everything it may signal at once: itself at most. The judge and its launchers go on.
  const Evidence all = judge->judge(
      test::add_submission(Language::kPython, "import os\ndef add(a, b):\n    os.kill(-1, 9)\n    return a + b\n"));
  EXPECT_NE(all.verdict, Verdict::kSE) << describe(all);
}

TEST(Isolation, NothingOutlivesASubmission) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::string leave =
      "    import os\n    for p in ['/tmp', '/work', '/dev/shm', '/var/tmp']:\n        try:\n"
      "            if os.path.exists(p + '/plumb_marker'):\n                found.append(p)\n"
      "            open(p + '/plumb_marker', 'w').write('x')\n        except OSError:\n            pass\n";
  for (int i = 0; i < 4; ++i) {
    expect_nothing_found(*judge, leave + "    # " + std::to_string(i) + "\n");
  }
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
}

// What a run leaves, sleeping or in a session of its own, is ended and waited for before the session's next run: that
// one can make as many processes as the first.
TEST(Isolation, NothingOutlivesARunOfASession) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission leaving = test::make_submission(
      Language::kPython,
      "import os, time\n"
      "def count(n):\n    made = 0\n    try:\n        while made < 100:\n            if os.fork() == 0:\n"
      "                if made % 2:\n                    os.setsid()\n                time.sleep(60)\n"
      "            made += 1\n    except OSError:\n        pass\n"
      "    if n < 0:\n        os._exit(7)\n    return made >= n\n",
      {"count", {{"n", "int"}}, "bool"}, "[[[-1], true], [[4], true], [[-1], true], [[-1], true], [[4], true]]");
  leaving.stop_at_first_failure = false;
  leaving.limits.processes = 8;
  leaving.limits.wall_s = 10;
  const Evidence evidence = judge->judge(leaving);
  const auto re = Verdict::kRE;
  const auto ac = Verdict::kAC;
  EXPECT_EQ(evidence.tests, (std::vector<Verdict>{re, ac, re, re, ac})) << describe(evidence);
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
}

// Of what a program orphans while it runs, nothing stays to count against its processes.
TEST(Isolation, OrphansAreReapedWhileAProgramRuns) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission orphaning = test::make_submission(
      Language::kPython,
      "import os\n"
      "def f():\n    for _ in range(200):\n        child = os.fork()\n        if child == 0:\n"
      "            os.fork()\n            os._exit(0)\n        os.waitpid(child, 0)\n    return True\n",
      {"f", {}, "bool"}, "[[[], true]]");
  orphaning.limits.processes = 24;
  const Evidence evidence = judge->judge(orphaning);
  EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
}

// A child of the launcher's, as a sibling of a copy would be, is in no account of the session and has to be waited for
// by a launcher that does not know it.
TEST(Isolation, NoProgramMakesASiblingOfItself) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Evidence evidence = judge->judge(test::make_submission(
      Language::kPython,
      "import ctypes, os\ndef f():\n    pid = ctypes.CDLL(None).syscall(56, 0x8000 | 17, 0, 0, 0, 0)\n"
      "    if pid == 0:\n        os._exit(0)\n    return pid\n",
      {"f", {}, "int"}, "[[[], -1]]"));
  EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
  EXPECT_LT(evidence.wall_s, 5);
}

// Seen from outside while a program runs: it shares no namespace with this process, nor its user.
TEST(Isolation, ARunningProgramSharesNoNamespaceWithTheJudge) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission sleeping = test::add_submission(Language::kPython, "import time\ndef add(a, b):\n    time.sleep(60)\n");
  sleeping.limits.wall_s = 1;
  std::thread judging([&] { static_cast<void>(judge->judge(sleeping)); });
  std::vector<int> running;
  for (int tries = 0; tries < 500 && running.empty(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    running = test::programs("python3");
  }
  const auto link = [](int pid, const std::string& name) {
    std::error_code error;
    return fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/" + name, error).string();
  };
  for (const char* name : {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"}) {
    const std::string theirs = running.empty() ? "" : link(running[0], name);
    EXPECT_NE(theirs, "") << name;
    EXPECT_NE(theirs, link(getpid(), name)) << name;
  }
  struct stat info {};
  EXPECT_TRUE(!running.empty() && stat(("/proc/" + std::to_string(running[0])).c_str(), &info) == 0);
  EXPECT_NE(info.st_uid, geteuid());
  judging.join();
}

IsolationReport report_without(const std::vector<std::string>& missing) {
  IsolationReport report;
  for (const char* name : {"user", "pid", "seccomp", "cgroup_v1"}) {
    const bool present = std::find(missing.begin(), missing.end(), name) == missing.end();
    report.layers.push_back(
        {name, present, present ? "" : "unshare: not permitted", present ? "" : "give it more rights"});
  }
  return report;
}

TEST(IsolationReport, AMissingLayerRefusesUnlessItIsNamed) {
  EXPECT_EQ(report_without({}).refusal({}), "");
  EXPECT_EQ(report_without({}).summary(), "user,pid,seccomp,cgroup_v1");
  const IsolationReport no_namespaces = report_without({"user", "pid"});
  EXPECT_EQ(no_namespaces.refusal({}),
            "The sandbox lacks the layer(s) user, pid: give it more rights. What failed: unshare: not permitted.");
  EXPECT_EQ(no_namespaces.refusal({"no_namespaces"}), "");
  EXPECT_NE(no_namespaces.refusal({"no_cgroup"}), "");
  EXPECT_EQ(report_without({"cgroup_v1"}).refusal({"no_cgroup"}), "");
  EXPECT_NE(report_without({"cgroup_v1"}).refusal({"no_namespaces"}), "");
  EXPECT_NE(report_without({"seccomp"}).refusal({"no_namespaces", "no_cgroup"}), "");  // there is no loosening for it
}

TEST(IsolationReport, AnAbsentLauncherIsAMissingLayer) {
  const IsolationReport report = probe_isolation("/nowhere/plumb-sandbox");
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.layers[0].name, "launcher");
  EXPECT_NE(report.refusal({"no_namespaces", "no_cgroup"}), "");
}

// Interpreters are copies of one that was started before; none of the memory that such a copy can read is another
// candidate's. It looks page by page, as write() tells it which are there, for a word that it finds in its own source,
// and for one that stood in the sources of many before it.
TEST(Isolation, ACopiedInterpreterHoldsNothingOfThoseBeforeIt) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::string before = "word-of-candidates-before-4711";
  for (int i = 0; i < 6; ++i) {
    const Evidence evidence = judge->judge(
        add_submission(Language::kPython, "# " + before + " " + std::to_string(i) + "\n" + std::string(i * 3000, '#') +
                                              "\ndef add(a, b):\n    return a + b\n"));
    ASSERT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
  }
  const std::string scan = R"PY(# word-of-this-candidate-0815
import ctypes, os

def found(word, pages):
    return any(word in page for page in pages)

def pages_around(address, file, libc):
    page = 4096
    for start in range(max(address - (24 << 20), page) // page * page, address + (24 << 20), page):
        os.lseek(file, 0, 0)
        if libc.write(file, ctypes.c_void_p(start), page) == page:
            yield os.pread(file, page, 0)

def add(a, b):
    libc = ctypes.CDLL(None)
    file = os.open("scan", os.O_RDWR | os.O_CREAT)
    heap = ctypes.addressof(ctypes.create_string_buffer(70000))
    pages = list(pages_around(heap, file, libc)) + list(pages_around(id(object()), file, libc))
    before = "".join(reversed("1174-erofeb-setadidnac-fo-drow")).encode()
    own = "".join(reversed("5180-etadidnac-siht-fo-drow")).encode()
    print(len(pages), found(own, pages), found(before, pages))
    return a + b if found(own, pages) and not found(before, pages) else -1000
)PY";
  Submission submission = add_submission(Language::kPython, scan);
  submission.limits.cpu_s = 20;
  submission.limits.wall_s = 60;
  for (int i = 0; i < 2; ++i) {  // both slots have seen some
    submission.source += "\n";
    const Evidence evidence = judge->judge(submission);
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
  }
}

}  // namespace
}  // namespace plumb
