"""What the processor and the operating system can run, asked before any module with wider instructions is imported."""

cdef extern from *:
    """
    #if defined(__x86_64__) || defined(_M_X64)
      #if defined(_MSC_VER)
        #include <intrin.h>
        static int saves(unsigned long long state) {        /* does the operating system save these registers? */
            int r[4];
            __cpuid(r, 1);
            return (r[2] & (1 << 27)) && (_xgetbv(0) & state) == state;
        }
        static int has_avx2(void) {
            int one[4], seven[4];
            __cpuid(one, 1); __cpuidex(seven, 7, 0);
            return saves(0x6) && (one[2] & (1 << 12)) && (seven[1] & (1 << 5));
        }
        static int has_avx512(void) {
            int seven[4];
            const int wanted = (1 << 16) | (1 << 17) | (1 << 30) | (int)(1u << 31);   /* F, DQ, BW, VL */
            __cpuidex(seven, 7, 0);
            return has_avx2() && saves(0xe6) && (seven[1] & wanted) == wanted;
        }
      #else                                                 /* gcc and clang ask the operating system too */
        static int has_avx2(void) {
            __builtin_cpu_init();
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        }
        static int has_avx512(void) {
            return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
                && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
        }
      #endif
    #else
      static int has_avx2(void) { return 0; }
      static int has_avx512(void) { return 0; }
    #endif
    """
    bint has_avx2()
    bint has_avx512()


def supported():
    """The instruction sets that can run here, best first."""
    return [name for name, here in (("avx512", has_avx512()), ("avx2", has_avx2()), ("baseline", True)) if here]
