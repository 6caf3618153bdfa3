/* Equality of constants with Calcium. Plain C: Calcium's headers are no C++. */
#ifndef PLUMB_REWARD_RULES_MATH_CALCIUM_BRIDGE_H_
#define PLUMB_REWARD_RULES_MATH_CALCIUM_BRIDGE_H_

#include <flint/fmpq.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One instruction of a stack machine. */
enum plumb_ca_code {
  PLUMB_CA_NUMBER, /* pushes the next number */
  PLUMB_CA_PI,
  PLUMB_CA_EULER,
  PLUMB_CA_I,
  PLUMB_CA_ADD,
  PLUMB_CA_MUL,
  PLUMB_CA_DIV,
  PLUMB_CA_POW,
  PLUMB_CA_NEG,
  PLUMB_CA_SQRT,
  PLUMB_CA_EXP,
  PLUMB_CA_LOG,
  PLUMB_CA_SIN,
  PLUMB_CA_COS,
  PLUMB_CA_TAN,
  PLUMB_CA_COT,
  PLUMB_CA_ASIN,
  PLUMB_CA_ACOS,
  PLUMB_CA_ATAN,
  PLUMB_CA_ABS
};

struct plumb_ca_program {
  const unsigned char* codes;
  long num_codes;
  const fmpq* numbers; /* in the order of PLUMB_CA_NUMBER */
  long depth;          /* the highest the stack grows */
};

/* 1: a = b, proved; 0: a != b, proved; -1: unknown. */
int plumb_ca_compare(const struct plumb_ca_program* a, const struct plumb_ca_program* b);

#ifdef __cplusplus
}
#endif
#endif
