"""Throughput: the time, the arithmetic, the memory and the energy of steps, of one method at a time."""
