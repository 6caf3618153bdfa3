#include "reward/rules/math/calcium_bridge.h"

#include <calcium/ca.h>
#include <calcium/ca_vec.h>

static void apply(unsigned char code, ca_ptr x, ca_ptr y, ca_ctx_t ctx) {
  switch (code) {
    case PLUMB_CA_ADD:
      ca_add(x, x, y, ctx);
      break;
    case PLUMB_CA_MUL:
      ca_mul(x, x, y, ctx);
      break;
    case PLUMB_CA_DIV:
      ca_div(x, x, y, ctx);
      break;
    case PLUMB_CA_POW:
      ca_pow(x, x, y, ctx);
      break;
    case PLUMB_CA_NEG:
      ca_neg(x, x, ctx);
      break;
    case PLUMB_CA_SQRT:
      ca_sqrt(x, x, ctx);
      break;
    case PLUMB_CA_EXP:
      ca_exp(x, x, ctx);
      break;
    case PLUMB_CA_LOG:
      ca_log(x, x, ctx);
      break;
    case PLUMB_CA_SIN:
      ca_sin_cos(x, NULL, x, ctx);
      break;
    case PLUMB_CA_COS:
      ca_sin_cos(NULL, x, x, ctx);
      break;
    case PLUMB_CA_TAN:
      ca_tan(x, x, ctx);
      break;
    case PLUMB_CA_COT:
      ca_cot(x, x, ctx);
      break;
    case PLUMB_CA_ASIN:
      ca_asin(x, x, ctx);
      break;
    case PLUMB_CA_ACOS:
      ca_acos(x, x, ctx);
      break;
    case PLUMB_CA_ATAN:
      ca_atan(x, x, ctx);
      break;
    default:
      ca_abs(x, x, ctx);
      break;
  }
}

static void run(ca_t result, const struct plumb_ca_program* program, ca_ctx_t ctx) {
  ca_ptr stack = _ca_vec_init(program->depth, ctx);
  const fmpq* number = program->numbers;
  long top = -1;
  long i;
  for (i = 0; i < program->num_codes; i++) {
    switch (program->codes[i]) {
      case PLUMB_CA_NUMBER:
        ca_set_fmpq(stack + ++top, number++, ctx);
        break;
      case PLUMB_CA_PI:
        ca_pi(stack + ++top, ctx);
        break;
      case PLUMB_CA_EULER:
        ca_one(stack + ++top, ctx);
        ca_exp(stack + top, stack + top, ctx);
        break;
      case PLUMB_CA_I:
        ca_i(stack + ++top, ctx);
        break;
      case PLUMB_CA_ADD:
      case PLUMB_CA_MUL:
      case PLUMB_CA_DIV:
      case PLUMB_CA_POW:
        top--;
        apply(program->codes[i], stack + top, stack + top + 1, ctx);
        break;
      default:
        apply(program->codes[i], stack + top, NULL, ctx);
        break;
    }
  }
  ca_set(result, stack, ctx);
  _ca_vec_clear(stack, program->depth, ctx);
}

int plumb_ca_compare(const struct plumb_ca_program* a, const struct plumb_ca_program* b) {
  ca_ctx_t ctx;
  ca_t x;
  ca_t y;
  truth_t truth;
  ca_ctx_init(ctx);
  ctx->options[CA_OPT_PREC_LIMIT] = 1024;
  ctx->options[CA_OPT_QQBAR_DEG_LIMIT] = 24;
  ctx->options[CA_OPT_POW_LIMIT] = 20;
  ctx->options[CA_OPT_USE_GROEBNER] = 0;
  ctx->options[CA_OPT_LLL_PREC] = 128;
  ca_init(x, ctx);
  ca_init(y, ctx);
  run(x, a, ctx);
  run(y, b, ctx);
  truth = ca_check_equal(x, y, ctx);
  ca_clear(x, ctx);
  ca_clear(y, ctx);
  ca_ctx_clear(ctx);
  return truth == T_TRUE ? 1 : truth == T_FALSE ? 0 : -1;
}
