#include "compiler_sandbox/clang_reader/signature_reader.h"

#include <clang/AST/DeclCXX.h>
#include <clang/AST/DeclTemplate.h>
#include <clang/AST/Type.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace plumb {
namespace {

using Words = std::optional<std::string>;  // none: no type that values can have

// How many of a class template's arguments are values' types; the rest are allocators, hashes and orders.
const std::map<std::string_view, unsigned>& containers() {
  static const std::map<std::string_view, unsigned> all = {
      {"vector", 1},   {"deque", 1}, {"list", 1}, {"set", 1},           {"multiset", 1}, {"unordered_set", 1},
      {"optional", 1}, {"pair", 2},  {"map", 2},  {"unordered_map", 2}, {"array", 1},    {"tuple", 0}};
  return all;
}

Words words(clang::QualType type);

Words builtin(const clang::BuiltinType& type) {
  using Kind = clang::BuiltinType::Kind;
  static const std::map<Kind, const char*> names = {{Kind::Void, "void"},
                                                    {Kind::Bool, "bool"},
                                                    {Kind::Char_S, "char"},
                                                    {Kind::SChar, "signed char"},
                                                    {Kind::UChar, "unsigned char"},
                                                    {Kind::Short, "short"},
                                                    {Kind::UShort, "unsigned short"},
                                                    {Kind::Int, "int"},
                                                    {Kind::UInt, "unsigned int"},
                                                    {Kind::Long, "long"},
                                                    {Kind::ULong, "unsigned long"},
                                                    {Kind::LongLong, "long long"},
                                                    {Kind::ULongLong, "unsigned long long"},
                                                    {Kind::Int128, "__int128"},
                                                    {Kind::UInt128, "unsigned __int128"},
                                                    {Kind::Float, "float"},
                                                    {Kind::Double, "double"},
                                                    {Kind::LongDouble, "long double"}};
  const auto found = names.find(type.getKind());
  return found == names.end() ? Words() : Words(found->second);
}

const clang::ClassTemplateSpecializationDecl* standard_class(clang::QualType type) {
  const auto* record = type->getAsCXXRecordDecl();
  return record != nullptr && record->isInStdNamespace()
             ? llvm::dyn_cast<clang::ClassTemplateSpecializationDecl>(record)
             : nullptr;
}

// An order of keys other than the usual one: ", std::greater<int>"; "" for the usual one.
Words order(const clang::TemplateArgument& argument) {
  const auto* order =
      argument.getKind() == clang::TemplateArgument::Type ? standard_class(argument.getAsType()) : nullptr;
  if (order == nullptr || (order->getName() != "less" && order->getName() != "greater")) {
    return std::nullopt;
  }
  const auto key = words(order->getTemplateArgs()[0].getAsType());
  const bool usual = order->getName() == "less" && key && *key != "void";
  return usual ? "" : key ? Words(", std::" + order->getName().str() + "<" + *key + ">") : Words();
}

Words container(const clang::ClassTemplateSpecializationDecl& record) {
  const clang::TemplateArgumentList& arguments = record.getTemplateArgs();
  const auto known = containers().find(record.getName());
  if (known == containers().end()) {
    return std::nullopt;
  }
  const bool is_tuple = known->second == 0;
  const llvm::ArrayRef<clang::TemplateArgument> types =
      is_tuple ? arguments[0].getPackAsArray() : arguments.asArray().take_front(known->second);
  std::string text;
  for (const clang::TemplateArgument& one : types) {
    const Words inner = words(one.getAsType());
    if (!inner) {
      return std::nullopt;
    }
    text += (text.empty() ? "" : ", ") + *inner;
  }
  static const std::set<std::string_view> ordered = {"set", "multiset", "map"};
  if (record.getName() == "array") {
    text += ", " + std::to_string(arguments[1].getAsIntegral().getZExtValue());
  } else if (ordered.contains(record.getName())) {
    const Words keys = order(arguments[known->second]);
    if (!keys) {
      return std::nullopt;
    }
    text += *keys;
  }
  return "std::" + record.getName().str() + "<" + text + ">";
}

Words class_words(clang::QualType type) {
  const auto* record = standard_class(type);
  if (record == nullptr) {
    return std::nullopt;
  }
  const bool is_view = record->getName() == "basic_string_view";
  if (!is_view && record->getName() != "basic_string") {
    return container(*record);
  }
  if (!record->getTemplateArgs()[0].getAsType()->isSpecificBuiltinType(clang::BuiltinType::Char_S)) {
    return std::nullopt;
  }
  return is_view ? "std::string_view" : "std::string";
}

Words words(clang::QualType type) {
  type = type.getCanonicalType();
  if (const auto* reference = type->getAs<clang::ReferenceType>()) {
    const Words target = words(reference->getPointeeType());
    return target ? Words(*target + (type->isRValueReferenceType() ? "&&" : "&")) : Words();
  }
  if (const auto* pointer = type->getAs<clang::PointerType>()) {
    const clang::QualType target = pointer->getPointeeType();
    return target.isConstQualified() && target->isSpecificBuiltinType(clang::BuiltinType::Char_S) ? Words("const char*")
                                                                                                  : Words();
  }
  const auto* plain = type->getAs<clang::BuiltinType>();
  const Words unqualified = plain != nullptr ? builtin(*plain) : class_words(type);
  return unqualified && !type.isVolatileQualified() ? Words((type.isConstQualified() ? "const " : "") + *unqualified)
                                                    : Words();
}

struct Callable {
  clang::QualType returns;
  std::vector<clang::QualType> parameters;
  unsigned needed = 0;  // of the parameters, those without a default
};

class Callables {
 public:
  explicit Callables(std::string name) : name_(std::move(name)) {}

  void add_declaration(const clang::Decl& declaration) {
    const auto* named = llvm::dyn_cast<clang::NamedDecl>(&declaration);
    if (named == nullptr || !named->getDeclName().isIdentifier()) {
      return;
    }
    if (const auto* type = llvm::dyn_cast<clang::TypeDecl>(named)) {
      add_class(*type);
    } else if (named->getName() != name_) {
      return;
    } else if (const auto* function = llvm::dyn_cast<clang::FunctionDecl>(named)) {
      add_function(*function);
    } else if (const auto* variable = llvm::dyn_cast<clang::VarDecl>(named)) {
      add_object(variable->getType());
    } else if (const auto* brought = llvm::dyn_cast<clang::UsingDecl>(named)) {
      for (const clang::UsingShadowDecl* shadow : brought->shadows()) {
        add_declaration(*shadow->getTargetDecl());
      }
    }
  }
  [[nodiscard]] const std::vector<Callable>& found() const { return found_; }

 private:
  // Solution's methods, and classes whose objects are called by the name itself.
  void add_class(const clang::TypeDecl& declaration) {
    const auto* alias = llvm::dyn_cast<clang::TypedefNameDecl>(&declaration);
    const clang::QualType type =
        alias != nullptr ? alias->getUnderlyingType() : clang::QualType(declaration.getTypeForDecl(), 0);
    const auto* record = type.isNull() ? nullptr : type->getAsCXXRecordDecl();
    if (record == nullptr || !record->hasDefinition()) {
      return;
    }
    if (declaration.getName() == "Solution") {
      add_methods(*record->getDefinition());
    } else if (declaration.getName() == name_) {
      add_calls_of(*record->getDefinition());
    }
  }

  void add_methods(const clang::CXXRecordDecl& record) {
    const std::size_t before = found_.size();
    for (const clang::CXXMethodDecl* method : record.methods()) {
      if (method->getDeclName().isIdentifier() && method->getName() == name_) {
        add_function(*method);
      }
    }
    for (const clang::CXXBaseSpecifier& base : record.bases()) {
      const auto* parent = base.getType()->getAsCXXRecordDecl();
      if (found_.size() == before && parent != nullptr && parent->hasDefinition()) {
        add_methods(*parent->getDefinition());
      }
    }
  }

  void add_object(clang::QualType type) {
    type = type.getNonReferenceType().getCanonicalType();
    if (type->isPointerType()) {
      type = type->getPointeeType().getCanonicalType();
    }
    if (const auto* wrapper = standard_class(type); wrapper != nullptr && wrapper->getName() == "function") {
      type = wrapper->getTemplateArgs()[0].getAsType().getCanonicalType();
    }
    if (const auto* prototype = type->getAs<clang::FunctionProtoType>()) {
      found_.push_back({prototype->getReturnType(), prototype->getParamTypes().vec(), prototype->getNumParams()});
    } else if (const auto* record = type->getAsCXXRecordDecl(); record != nullptr && record->hasDefinition()) {
      add_calls_of(*record->getDefinition());
    }
  }

  void add_calls_of(const clang::CXXRecordDecl& record) {
    for (const clang::CXXMethodDecl* method : record.methods()) {
      if (method->getOverloadedOperator() == clang::OO_Call) {
        add_function(*method);
      }
    }
  }

  void add_function(const clang::FunctionDecl& function) {
    if (function.getDescribedFunctionTemplate() != nullptr || function.isDeleted()) {
      return;
    }
    Callable callable{function.getReturnType(), {}, function.getMinRequiredArguments()};
    for (const clang::ParmVarDecl* parameter : function.parameters()) {
      callable.parameters.push_back(parameter->getType());
    }
    found_.push_back(std::move(callable));
  }

  std::string name_;
  std::vector<Callable> found_;
};

nlohmann::json in_words(const Callable& callable, unsigned arguments) {
  const Words returns = words(callable.returns);
  nlohmann::json parameters = nlohmann::json::array();
  for (unsigned i = 0; i < arguments; ++i) {
    const Words one = words(callable.parameters[i]);
    if (!one) {
      return nullptr;
    }
    parameters.push_back(*one);
  }
  return returns ? nlohmann::json{{"returns", *returns}, {"parameters", parameters}} : nlohmann::json();
}

bool is_in_namespace(const clang::Decl& declaration) {
  return declaration.getDeclContext()->getEnclosingNamespaceContext()->isNamespace();
}

}  // namespace

nlohmann::json signature_of(const std::vector<clang::Decl*>& declarations, const std::string& name,
                            unsigned arguments) {
  Callables callables(name);
  for (const bool in_namespace : {false, true}) {
    for (const clang::Decl* one : declarations) {
      if (is_in_namespace(*one) == in_namespace) {
        callables.add_declaration(*one);
      }
    }
  }
  const auto fits = std::ranges::find_if(callables.found(), [&](const Callable& one) {
    return one.needed <= arguments && arguments <= one.parameters.size();
  });
  return fits == callables.found().end() ? nlohmann::json() : in_words(*fits, arguments);
}

}  // namespace plumb
