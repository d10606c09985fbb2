"""What losses of a residual share: where they stop, and how they bend."""

from libc.math cimport sqrt, sqrtf

from lossref._kernels.entry cimport real


cdef inline real clip(real x, real low, real high) noexcept nogil:
    """The nearest number in [low, high]; NaN stays NaN, because every comparison with it is false."""
    x = high if x > high else x
    return low if x < low else x


cdef inline real hyperbola(real a, real delta, real* share) noexcept nogil:
    """The root of a² + δ², and δ as ``share``, both divided by the larger of a and δ, lest a square overflow."""
    cdef real one = 1, larger = a if a > delta else delta, smaller = delta if a > delta else a
    cdef real q = smaller / larger
    share[0] = q if a > delta else one
    return sqrtf(one + q * q) if real is float else sqrt(one + q * q)
