"""The compiled kernels: one source a chapter, compiled once for each instruction set."""
