#include "compiler_sandbox/own_signature.h"

#include <nlohmann/json.hpp>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/examine_program.h"
#include "compiler_sandbox/step_outcome.h"

namespace plumb {
namespace {

// ARGUMENTS (of the compiler), NAME and COUNT are put before it; the source comes over standard input.
constexpr const char* kTool = R"PY(
import json, re, sys

sys.path.append("/usr/lib/python3/dist-packages")
try:
    from clang import cindex
    cindex.Config.set_library_file("/usr/lib/llvm-16/lib/libclang.so.1")
    INDEX = cindex.Index.create()
except (ImportError, cindex.LibclangError):
    sys.exit(127)

K, T = cindex.CursorKind, cindex.TypeKind
PLAIN = {T.VOID: "void", T.BOOL: "bool", T.CHAR_S: "char", T.SCHAR: "signed char", T.UCHAR: "unsigned char",
         T.SHORT: "short", T.USHORT: "unsigned short", T.INT: "int", T.UINT: "unsigned int", T.LONG: "long",
         T.ULONG: "unsigned long", T.LONGLONG: "long long", T.ULONGLONG: "unsigned long long", T.FLOAT: "float",
         T.DOUBLE: "double", T.LONGDOUBLE: "long double", T.INT128: "__int128", T.UINT128: "unsigned __int128"}
ARGUMENTS_OF = {"vector": 1, "deque": 1, "list": 1, "set": 1, "multiset": 1, "unordered_set": 1, "optional": 1,
                "pair": 2, "map": 2, "unordered_map": 2, "array": 1, "tuple": None}


class Foreign(Exception):
    pass


def is_standard(declaration):
    parent = declaration.semantic_parent
    while parent is not None and parent.kind == K.NAMESPACE and parent.spelling != "std":
        parent = parent.semantic_parent  # an inline namespace
    return parent is not None and parent.kind == K.NAMESPACE


def record(type):
    declaration = type.get_declaration()
    name = declaration.spelling
    if not is_standard(declaration):
        raise Foreign(type.spelling)
    if name in ("basic_string", "basic_string_view"):
        if type.get_template_argument_type(0).kind != T.CHAR_S:
            raise Foreign(type.spelling)
        return "std::string" if name == "basic_string" else "std::string_view"
    if name not in ARGUMENTS_OF:
        raise Foreign(type.spelling)
    count = ARGUMENTS_OF[name]
    count = type.get_num_template_arguments() if count is None else count
    inner = [words(type.get_template_argument_type(i)) for i in range(count)]
    if name == "array":
        inner.append(re.search(r"(\d+)U?L?>$", type.spelling)[1])
    return "std::" + name + "<" + ", ".join(inner) + ">"


def words(type):
    type = type.get_canonical()
    const = "const " if type.is_const_qualified() else ""
    if type.kind in PLAIN:
        return const + PLAIN[type.kind]
    if type.kind == T.LVALUEREFERENCE:
        return words(type.get_pointee()) + "&"
    if type.kind == T.RVALUEREFERENCE:
        return words(type.get_pointee()) + "&&"
    if type.kind == T.POINTER:
        target = type.get_pointee()
        if target.kind == T.CHAR_S and target.is_const_qualified():
            return "const char*"
    if type.kind == T.RECORD:
        return const + record(type)
    raise Foreign(type.spelling)


def first(cursor, kinds, within):
    for child in cursor.get_children():
        found = child if child.kind in kinds else first(child, kinds, within) if child.kind in within else None
        if found is not None:
            return found
    return None


def of_lambda(cursor):
    parameters = [one.type for one in cursor.get_children() if one.kind == K.PARM_DECL]
    body = next(one for one in cursor.get_children() if one.kind == K.COMPOUND_STMT)
    inner = {K.COMPOUND_STMT, K.IF_STMT, K.FOR_STMT, K.WHILE_STMT, K.DO_STMT, K.SWITCH_STMT, K.CASE_STMT,
             K.DEFAULT_STMT, K.CXX_FOR_RANGE_STMT, K.CXX_TRY_STMT, K.CXX_CATCH_STMT}
    end = first(body, {K.RETURN_STMT}, inner)
    value = next(end.get_children(), None) if end is not None else None
    return (value.type if value is not None else None), parameters


def of_variable(cursor):
    type = cursor.type.get_canonical()
    if type.kind == T.POINTER:
        type = type.get_pointee()
    elif type.get_declaration().spelling == "function" and is_standard(type.get_declaration()):
        type = type.get_template_argument_type(0).get_canonical()
    if type.kind == T.FUNCTIONPROTO:
        return type.get_result(), list(type.argument_types())
    found = first(cursor, {K.LAMBDA_EXPR}, {K.UNEXPOSED_EXPR, K.CALL_EXPR})
    return of_lambda(found) if found is not None else (None, [])


def callables(cursor, in_solution=False):
    for one in cursor.get_children():
        if one.location.file is None or one.location.file.name != "candidate.cpp":
            continue
        if one.kind in (K.CLASS_DECL, K.STRUCT_DECL) and one.spelling == "Solution" and not in_solution:
            yield from callables(one, True)
        elif one.kind in (K.LINKAGE_SPEC, K.UNEXPOSED_DECL) and not in_solution:
            yield from callables(one)
        elif one.spelling != NAME:
            continue
        elif one.kind == K.CXX_METHOD if in_solution else one.kind == K.FUNCTION_DECL and one.is_definition():
            yield one.result_type, list(one.type.argument_types())
        elif one.kind == K.VAR_DECL and not in_solution:
            yield of_variable(one)


text = sys.stdin.buffer.read().decode("utf-8", "replace")
unit = INDEX.parse("candidate.cpp", ARGUMENTS, [("candidate.cpp", text)])
for result, types in callables(unit.cursor):
    if len(types) == COUNT:
        try:
            returns = "void" if result is None else words(result)
            print(json.dumps({"returns": returns, "parameters": [words(one) for one in types]}))
        except Foreign:
            pass
        break
)PY";

std::string own(const nlohmann::json& type) {
  return std::string(kOwnCppType) + type.get<std::string>();
}

std::optional<FunctionSignature> read(const std::string& printed, const FunctionSignature& asked) {
  const auto json = nlohmann::json::parse(printed, nullptr, false);
  FunctionSignature function{asked.name, {}, ""};
  try {
    function.returns = own(json.at("returns"));
    for (const auto& type : json.at("parameters")) {
      function.parameters.push_back({"a" + std::to_string(function.parameters.size()), own(type)});
    }
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  bool plain = is_own_cpp_type(function.returns) && function.parameters.size() == asked.parameters.size();
  for (const Parameter& parameter : function.parameters) {
    plain = plain && is_own_cpp_type(parameter.type);
  }
  return plain ? std::optional(std::move(function)) : std::nullopt;
}

}  // namespace

std::optional<FunctionSignature> own_signature(Worker& worker, Toolchain& tools, const Languages& languages,
                                               const Submission& submission) {
  Submission look;
  look.program_language = "python";
  const nlohmann::json arguments = tools.parse_arguments(submission.source, cache_inside(worker, tools.cache_dir()));
  look.source = "ARGUMENTS, NAME, COUNT = " + arguments.dump() + ", " +
                nlohmann::json(submission.function.name).dump() + ", " +
                std::to_string(submission.function.parameters.size()) + "\n" + kTool;
  look.program_tests.push_back({submission.source, ""});
  look.limits.cpu_s = submission.limits.compile_cpu_s;
  look.limits.wall_s = submission.limits.compile_wall_s;
  look.limits.memory_mib = submission.limits.compile_memory_mib;
  const Finding finding = examine_program(worker, tools, languages, look, false);
  return finding.evidence.exit_code == 0 ? read(finding.evidence.output, submission.function) : std::nullopt;
}

}  // namespace plumb
