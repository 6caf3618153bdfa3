#include "compiler_sandbox/clang_reader/own_rules.h"

#include <clang/AST/RecursiveASTVisitor.h>

#include "compiler_sandbox/clang_reader/expressions.h"
#include "compiler_sandbox/clang_reader/secret_names.h"

namespace plumb {
namespace {

bool is_one_of(llvm::StringRef name, std::initializer_list<llvm::StringRef> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_engine(clang::QualType type) {
  const auto* record = type.getNonReferenceType().getCanonicalType()->getAsCXXRecordDecl();
  return record != nullptr && record->isInStdNamespace() && record->getIdentifier() != nullptr &&
         is_one_of(record->getName(),
                   {"mersenne_twister_engine", "linear_congruential_engine", "subtract_with_carry_engine",
                    "discard_block_engine", "independent_bits_engine", "shuffle_order_engine"});
}

// The first number below `node` that can be foretold; null: none.
const clang::Expr* predictable_in(const clang::Stmt* node) {
  if (node == nullptr) {
    return nullptr;
  }
  if (const auto* call = llvm::dyn_cast<clang::CallExpr>(node);
      call != nullptr && is_one_of(called_name(*call), {"rand", "rand_r", "random", "drand48", "lrand48", "mrand48",
                                                        "erand48", "nrand48", "jrand48", "random_shuffle"})) {
    return call;
  }
  if (const auto* expr = llvm::dyn_cast<clang::Expr>(node); expr != nullptr && is_engine(expr->getType())) {
    return expr;
  }
  for (const clang::Stmt* child : node->children()) {
    if (const clang::Expr* found = predictable_in(child)) {
      return found;
    }
  }
  return nullptr;
}

class OwnRules : public clang::RecursiveASTVisitor<OwnRules> {
 public:
  OwnRules(clang::ASTContext& context, FindingSink& sink) : context_(context), sink_(sink) {}

  // NOLINTBEGIN(readability-identifier-naming): clang's names
  bool shouldVisitTemplateInstantiations() const { return true; }
  bool VisitVarDecl(clang::VarDecl* variable) {
    const bool has_default =
        llvm::isa<clang::ParmVarDecl>(variable) &&
        (variable->getInit() == nullptr || llvm::cast<clang::ParmVarDecl>(variable)->hasUninstantiatedDefaultArg());
    if (!has_default) {
      assigned(*variable, variable->getInit());
    }
    return true;
  }
  bool VisitFieldDecl(clang::FieldDecl* field) {
    assigned(*field, field->getInClassInitializer());
    return true;
  }
  bool VisitCXXConstructorDecl(clang::CXXConstructorDecl* constructor) {
    for (const clang::CXXCtorInitializer* one : constructor->inits()) {
      if (one->isWritten() && one->getAnyMember() != nullptr) {
        assigned(*one->getAnyMember(), one->getInit());
      }
    }
    return true;
  }
  bool VisitBinaryOperator(clang::BinaryOperator* binary) {
    if (binary->isAssignmentOp()) {
      assigned(binary->getLHS(), binary->getRHS());
    } else if (binary->isEqualityOp()) {
      compared(binary->getLHS(), binary->getRHS());
    }
    return true;
  }
  bool VisitCXXOperatorCallExpr(clang::CXXOperatorCallExpr* call) {
    if (call->getNumArgs() != 2) {
      return true;
    }
    if (call->isAssignmentOp()) {
      assigned(call->getArg(0), call->getArg(1));
    } else if (is_one_of(clang::getOperatorSpelling(call->getOperator()), {"==", "!="})) {
      compared(call->getArg(0), call->getArg(1));
    }
    return true;
  }
  bool VisitCallExpr(clang::CallExpr* call) {
    const std::string name = called_name(*call);
    if (call->getNumArgs() >= 2 && is_one_of(name, {"strcmp", "strncmp", "strcasecmp", "memcmp"})) {
      compared(call->getArg(0), call->getArg(1));
    } else if (call->getNumArgs() >= 1 && is_one_of(name, {"system", "popen"}) && !is_written(call->getArg(0))) {
      sink_.add("shell-command", call->getBeginLoc(), name + "() gives text to a shell");
    } else if (call->getNumArgs() >= 2 && is_one_of(name, {"strcpy", "strncpy", "strcat", "sprintf"})) {
      assigned(call->getArg(0), call->getArg(1));
    }
    return true;
  }
  bool VisitCXXMemberCallExpr(clang::CXXMemberCallExpr* call) {
    const clang::NamedDecl* object = named_in(call->getImplicitObjectArgument());
    if (object != nullptr && call->getMethodDecl() != nullptr && call->getNumArgs() >= 1 &&
        is_one_of(call->getMethodDecl()->getNameAsString(), {"push_back", "append", "assign", "insert"})) {
      assigned(*object, call->getArg(0));
    }
    return true;
  }
  bool VisitFunctionDecl(clang::FunctionDecl* function) {
    if (!function->doesThisDeclarationHaveABody()) {
      return true;
    }
    find_check_then_use(context_, *function, sink_);
    if (function->getIdentifier() != nullptr && needs_unpredictable(function->getName())) {
      report_predictable(function->getNameAsString(), predictable_in(function->getBody()));
    }
    return true;
  }
  bool VisitReturnStmt(clang::ReturnStmt* statement) {
    look_for_widened(statement->getRetValue());
    return true;
  }
  bool VisitExplicitCastExpr(clang::ExplicitCastExpr* cast) {
    const auto* product = llvm::dyn_cast<clang::BinaryOperator>(cast->getSubExprAsWritten()->IgnoreParens());
    if (product != nullptr && is_wide(cast->getType())) {
      check_product(*product);
    }
    return true;
  }
  // NOLINTEND

 private:
  void assigned(const clang::Expr* target, const clang::Expr* value) {
    const auto* element = llvm::dyn_cast<clang::CXXOperatorCallExpr>(target->IgnoreUnlessSpelledInSource());
    if (const clang::NamedDecl* name = named_in(target)) {
      assigned(*name, value);
    } else if (element != nullptr && element->getOperator() == clang::OO_Subscript && element->getNumArgs() == 2) {
      const clang::StringLiteral* key = literal_in(element->getArg(1));  // options["password"]
      secret(key != nullptr && key->getCharByteWidth() == 1 ? key->getString() : "", value);
    } else {
      look_for_widened(value);
    }
  }

  void assigned(const clang::NamedDecl& target, const clang::Expr* value) {
    if (value == nullptr || target.getIdentifier() == nullptr) {
      return;
    }
    look_for_widened(value);
    secret(target.getName(), value);
    if (needs_unpredictable(target.getName())) {
      report_predictable(target.getNameAsString(), predictable_in(value));
    }
  }

  void report_predictable(const std::string& name, const clang::Expr* number) {
    if (number != nullptr) {
      sink_.add("predictable-random", number->getBeginLoc(), name + " comes from a predictable generator");
    }
  }

  void compared(const clang::Expr* one, const clang::Expr* other) {
    for (const auto& [name, value] : {std::pair(one, other), std::pair(other, one)}) {
      if (const clang::NamedDecl* target = named_in(name)) {
        secret(target->getIdentifier() != nullptr ? target->getName() : "", value);
      }
    }
  }

  void secret(llvm::StringRef name, const clang::Expr* value) {
    const clang::StringLiteral* literal = literal_in(value);
    if (literal == nullptr || literal->getCharByteWidth() != 1) {
      return;
    }
    const bool sure = names_secret(name);
    if ((sure || may_name_secret(name)) && looks_secret(literal->getString(), sure)) {
      sink_.add("hard-coded-secret", literal->getBeginLoc(), name.str() + " is written into the program");
    }
  }

  // A literal, null, or a constant that was made from one.
  [[nodiscard]] bool is_written(const clang::Expr* text) const {
    const auto* constant = llvm::dyn_cast_or_null<clang::VarDecl>(named_in(text));
    const bool fixed = constant != nullptr && constant->getInit() != nullptr &&
                       (constant->getType().isConstQualified() || constant->isConstexpr());
    return literal_in(text) != nullptr || (fixed && literal_in(constant->getInit()) != nullptr) ||
           (!text->isValueDependent() && text->isNullPointerConstant(context_, clang::Expr::NPC_ValueDependentIsNull));
  }

  [[nodiscard]] bool is_wide(clang::QualType type) const {
    return type->isIntegerType() && !type->isDependentType() && context_.getTypeSize(type) == 64;
  }

  // Where sums of it are widened part by part, its products are.
  void look_for_widened(const clang::Expr* value) {
    if (value == nullptr) {
      return;
    }
    const clang::Expr* plain = value->IgnoreParens();
    if (const auto* sum = llvm::dyn_cast<clang::BinaryOperator>(plain); sum != nullptr && sum->isAdditiveOp()) {
      look_for_widened(sum->getLHS());
      look_for_widened(sum->getRHS());
      return;
    }
    const auto* cast = llvm::dyn_cast<clang::ImplicitCastExpr>(plain);
    if (cast == nullptr || cast->getCastKind() != clang::CK_IntegralCast || !is_wide(cast->getType())) {
      return;
    }
    if (const auto* product = llvm::dyn_cast<clang::BinaryOperator>(cast->getSubExpr()->IgnoreParens())) {
      check_product(*product);
    }
  }

  void check_product(const clang::BinaryOperator& product) {
    const bool fits = product.getOpcode() != clang::BO_Mul || product.getType()->isDependentType() ||
                      !product.getType()->isSignedIntegerType() || context_.getTypeSize(product.getType()) != 32;
    if (!fits && is_large(*product.getLHS()) && is_large(*product.getRHS())) {
      sink_.add("widened-product", product.getOperatorLoc(),
                "the product is computed as an int, which may overflow, and converted to 64 bits afterwards");
    }
  }

  // Not a constant, nor a type that was promoted to int.
  [[nodiscard]] bool is_large(const clang::Expr& operand) const {
    return !operand.isEvaluatable(context_) && context_.getTypeSize(operand.IgnoreParenImpCasts()->getType()) >= 32 &&
           !operand.IgnoreParenImpCasts()->isKnownToHaveBooleanValue();
  }

  clang::ASTContext& context_;
  FindingSink& sink_;
};

}  // namespace

void apply_own_rules(clang::ASTContext& context, const std::vector<clang::Decl*>& declarations, FindingSink& sink) {
  OwnRules rules(context, sink);
  for (clang::Decl* one : declarations) {
    rules.TraverseDecl(one);
  }
}

}  // namespace plumb
