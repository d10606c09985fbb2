from libc.math cimport exp as cexp, log as clog, log1p as clog1p
from lossref._kernels.entry cimport real
cdef inline real exp(real x) noexcept nogil:
    return <real>cexp(x)
cdef inline real log(real x) noexcept nogil:
    return <real>clog(x)
cdef inline real log1p(real x) noexcept nogil:
    return <real>clog1p(x)
