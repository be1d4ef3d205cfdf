/* libFuzzer's entry points; the work is done in FuzzTargets. */
#include <stddef.h>
#include <stdint.h>

void dtm_fuzz_initialize(void);
int dtm_fuzz_one(const uint8_t *bytes, size_t count);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  dtm_fuzz_initialize();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  return dtm_fuzz_one(bytes, count);
}
