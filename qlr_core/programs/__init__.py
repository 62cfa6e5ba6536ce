"""A traced function as a program of scalar operations: data that a browser runs, the very operations that JAX traced."""

from qlr_core.programs.program import Program as Program
from qlr_core.programs.trace import trace as trace
