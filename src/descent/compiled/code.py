r"""Machine code for the processor at hand, written by LLVM through `llvmlite`.

A `Module` holds functions; a `Code` is one in the making, whose values are vectors of
`LANES` trajectories. `available` says whether llvmlite is installed: nothing else here may
be called without it, and nothing is imported before.
"""

import ctypes
import ctypes.util
import importlib.util
import math
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from descent.compiled.expressions import Tape
from descent.compiled.vectors import FLAGS, Place, Vector

LANES = 8  # numbers in a vector: two registers of AVX2, one of AVX-512
UNROLLED = 8  # rows up to which a loop is written out: more takes as long to run, and to compile
ON_STACK = 256  # rows up to which an array lies on the stack, and in registers
SMALL = 150  # operations up to which a function is written out where it is called
C_NAMES = {"arctan": "atan", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh"}
C_NAMES |= {"sin": "sin", "cos": "cos"}


@cache
def available() -> bool:
    """Say whether code can be compiled: llvmlite is there, and knows the processor."""
    if importlib.util.find_spec("llvmlite") is None:
        return False
    try:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        _machine()
    except Exception:  # a library that does not load, a processor that LLVM does not know
        return False
    return True


def _machine() -> Any:
    """Return a description of the processor; a new one, which its engine keeps and frees."""
    import llvmlite.binding as llvm

    target = llvm.Target.from_default_triple()
    # Without what only some processors have, a fused multiply and add for instance, a result
    # differs in its last digits as it does between two machines: `scripts/other_roundings.py`.
    if os.environ.get("DESCENT_PROCESSOR") == "generic":
        return target.create_target_machine(opt=3)
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )


@cache
def _in_libm(name: str) -> bool:
    """Make a function of C's mathematical library known to LLVM; say whether there is one."""
    import llvmlite.binding as llvm

    try:
        library = ctypes.CDLL(ctypes.util.find_library("m") or ctypes.util.find_library("msvcrt"))
        address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    except (OSError, AttributeError, TypeError):
        return False
    llvm.add_symbol(name, address)
    return True


class Module:
    """Functions that are compiled together."""

    def __init__(self) -> None:
        from llvmlite import ir

        self.module = ir.Module()
        self.signatures: dict[str, Sequence[type]] = {}
        self.numbers: dict[str, Any] = {}  # as vectors, by their digits; each is spelled once

    def function(self, name: str, signature: str, *, inlined: bool | None = None) -> "Code":
        """Begin a function without result.

        Parameters
        ----------
        name : str
            Its name.
        signature : str
            A letter for each argument: p a pointer, i an integer, d a number, v a vector.
        inlined : bool, optional
            None for a function that Python calls; else whether its calls are replaced by it.
        """
        from llvmlite import ir

        kinds = {
            "p": ir.PointerType(),
            "i": ir.IntType(64),
            "d": ir.DoubleType(),
            "v": ir.VectorType(ir.DoubleType(), LANES),
        }
        made = ir.Function(
            self.module, ir.FunctionType(ir.VoidType(), [kinds[k] for k in signature]), name
        )
        if inlined is None:
            types = {"p": ctypes.c_void_p, "i": ctypes.c_int64, "d": ctypes.c_double}
            self.signatures[name] = [types[k] for k in signature]
        else:
            made.linkage = "internal"
            made.attributes.add("alwaysinline" if inlined else "noinline")
            for argument, kind in zip(made.args, signature, strict=True):
                if kind == "p":
                    argument.add_attribute("noalias")
        return Code(self, made)

    def compile(self) -> dict[str, Callable[..., None]]:
        """Return the functions, to be called with addresses and numbers."""
        import llvmlite.binding as llvm

        machine = _machine()
        parsed = llvm.parse_assembly(str(self.module))
        parsed.triple, parsed.data_layout = machine.triple, str(machine.target_data)
        parsed.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        # What is written is in vectors, and its short loops are written out: more takes minutes.
        options.loop_unrolling = options.loop_interleaving = False
        options.loop_vectorization = options.slp_vectorization = False
        llvm.create_pass_builder(machine, options).getModulePassManager().run(
            parsed, llvm.create_pass_builder(machine, options)
        )
        engine = llvm.create_mcjit_compiler(parsed, machine)
        engine.finalize_object()
        functions: dict[str, Callable[..., None]] = {}
        for name, types in self.signatures.items():
            function: Any = ctypes.CFUNCTYPE(None, *types)(engine.get_function_address(name))
            function.engine = engine  # which lives as long as its functions
            functions[name] = function
        return functions


_COMPILED: dict[Any, tuple[dict[str, Callable[..., None]], int]] = {}


def compiled(
    key: Any, write: Callable[[Module], int]
) -> tuple[dict[str, Callable[..., None]], int]:
    """Return the functions that were written for a key, and what writing them returned."""
    if key not in _COMPILED:
        module = Module()
        written = write(module)
        _COMPILED[key] = module.compile(), written
    return _COMPILED[key]


class Code:
    """A function that is being written."""

    def __init__(self, module: Module, function: Any) -> None:
        from llvmlite import ir

        self.ir, self.module, self.function = ir, module, function
        self.vectors = ir.VectorType(ir.DoubleType(), LANES)
        self.arguments = function.args
        self.entry = function.append_basic_block("entry")
        start = function.append_basic_block("start")
        self.builder = ir.IRBuilder(start)
        self._start = start
        self.scratch: Any = None  # a pointer, from which large arrays are taken
        self.taken = 0
        self.kinds: dict[str, Any] = {}  # of variables, by the name of their address

    # Values

    def vector(self, value: Any) -> Vector:
        """Return a number, the same in each lane, as a vector."""
        if isinstance(value, Vector):
            return value
        if isinstance(value, int | float):
            made, digits = self.module.numbers, float(value).hex()
            if digits not in made:
                made[digits] = self.ir.Constant(self.vectors, [float(value)] * LANES)
            return Vector(self, made[digits])
        undefined = self.ir.Constant(self.vectors, self.ir.Undefined)
        first = self.builder.insert_element(undefined, value, self.integer32(0))
        mask = self.ir.Constant(self.ir.VectorType(self.ir.IntType(32), LANES), [0] * LANES)
        return Vector(self, self.builder.shuffle_vector(first, undefined, mask))

    def integer32(self, value: int) -> Any:
        """Return an integer of 32 bits."""
        return self.ir.Constant(self.ir.IntType(32), value)

    def integer(self, value: Any) -> Any:
        """Return an integer of 64 bits."""
        return self.ir.Constant(self.ir.IntType(64), value) if isinstance(value, int) else value

    def add(self, a: Any, b: Any) -> Any:
        """Return the sum of two integers, known or not."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        return self.builder.add(self.integer(a), self.integer(b))

    def multiply(self, a: Any, b: Any) -> Any:
        """Return the product of two integers, known or not."""
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        return self.builder.mul(self.integer(a), self.integer(b))

    def any(self, mask: Any) -> Any:
        """Return whether a mask is true in a lane, as a bit."""
        width = self.ir.IntType(LANES)
        bits = self.builder.bitcast(mask, width)
        return self.builder.icmp_unsigned("!=", bits, self.ir.Constant(width, 0))

    def intrinsic(self, name: str, *values: Vector) -> Vector:
        """Return one of LLVM's own functions of vectors."""
        name = f"llvm.{name}.v{LANES}f64"
        made = self.ir.FunctionType(self.vectors, [self.vectors] * len(values))
        module = self.module.module
        function = module.globals.get(name) or self.ir.Function(module, made, name)
        return Vector(self, self.builder.call(function, [v.value for v in values]))

    # Memory and control

    def array(self, rows: int) -> Place:
        """Return a new array of vectors: on the stack, or in the scratch memory if it is large."""
        if rows <= ON_STACK or self.scratch is None:
            with self.builder.goto_block(self.entry):
                kind = self.ir.ArrayType(self.vectors, rows)
                pointer = self.builder.alloca(kind)
            pointer.type = self.ir.PointerType()  # to anything, as LLVM has it
            return Place(self, pointer, self.vectors)
        self.taken += rows
        return Place(self, self.scratch, self.vectors).after(self.taken - rows)

    def rows(self, pointer: Any, first: Any, stride: Any) -> Place:
        """Return rows of an array of Python's: from the column ``first`` on, ``stride`` apart."""
        base = self.builder.gep(pointer, [self.integer(first)], source_etype=self.ir.DoubleType())
        return Place(self, base, self.ir.DoubleType(), self.integer(stride))

    def each(self, n: Any, body: Callable[[Any], None], unrolled: int = UNROLLED) -> None:
        """Write a loop over 0 … n - 1, or its rounds one after another if they are few."""
        if isinstance(n, int) and n <= unrolled:
            for i in range(n):
                body(i)
            return
        index = self.variable(self.integer(0))

        def once() -> None:
            i = self.get(index)
            body(i)
            self.set(index, self.add(i, 1))

        self.repeat(lambda: self.builder.icmp_signed("<", self.get(index), self.integer(n)), once)

    def variable(self, value: Any) -> Any:
        """Return the address of a new variable of the value's type, with that value."""
        with self.builder.goto_block(self.entry):
            pointer = self.builder.alloca(value.type)
        self.kinds[pointer.name] = value.type
        pointer.type = self.ir.PointerType()
        self.builder.store(value, pointer)
        return pointer

    def get(self, variable: Any) -> Any:
        """Return the value of a variable that is an integer or a bit."""
        kind = self.kinds.get(variable.name, self.ir.IntType(64))
        return self.builder.load(variable, typ=kind)

    def set(self, variable: Any, value: Any) -> None:
        """Give a variable another value."""
        self.builder.store(self.integer(value), variable)

    def larger(self, a: Any, b: Any) -> Any:
        """Return the larger of two integers."""
        return self.builder.select(self.builder.icmp_signed(">", a, b), a, b)

    def bit(self, value: bool) -> Any:
        """Return true or false."""
        return self.ir.Constant(self.ir.IntType(1), int(value))

    def repeat(self, condition: Callable[[], Any], body: Callable[[], None]) -> None:
        """Write a loop that runs while a condition holds."""
        test, inside, after = (self.function.append_basic_block() for _ in range(3))
        self.builder.branch(test)
        self.builder.position_at_end(test)
        self.builder.cbranch(condition(), inside, after)
        self.builder.position_at_end(inside)
        body()
        self.builder.branch(test)
        self.builder.position_at_end(after)

    def end(self) -> None:
        """Close the function."""
        self.builder.ret_void()
        with self.builder.goto_block(self.entry):
            self.builder.branch(self._start)

    # Expressions

    def expressions(
        self, tape: Tape, wanted: Sequence[int], inputs: Callable[[str, int], Vector]
    ) -> dict[int, Vector]:
        """Write the operations of a tape; ``inputs`` gives variables, parameters, known values."""
        made: dict[int, Vector] = {}
        for index in wanted:
            name, *parts = tape.keys[index]
            if name == "number":
                made[index] = self.vector(parts[0])
            elif not tape.parts(index):
                made[index] = inputs(name, parts[0])
            else:
                made[index] = self.operation(name, *(made[p] for p in parts))
        return made

    def operation(self, name: str, *parts: Vector) -> Vector:
        """Write one operation of a tape."""
        simple = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv"}
        if name in simple:
            return parts[0]._do(simple[name], parts[1])
        if name == "negative":
            return -parts[0]
        if name in ("sqrt", "absolute"):
            return self.intrinsic({"absolute": "fabs"}.get(name, name), *parts)
        if name == "exp":
            return exponential(parts[0])
        if name == "log":
            return logarithm(parts[0])
        return self.lane_by_lane(C_NAMES[name], parts[0])

    def lane_by_lane(self, name: str, x: Vector) -> Vector:
        """Call a function of C's mathematical library for each lane."""
        if not _in_libm(name):
            raise LookupError(f"no {name} in the mathematical library")
        double = self.ir.DoubleType()
        function = self.module.module.globals.get(name) or self.ir.Function(
            self.module.module, self.ir.FunctionType(double, [double]), name
        )
        out = self.ir.Constant(self.vectors, self.ir.Undefined)
        for lane in range(LANES):
            at = self.integer32(lane)
            value = self.builder.call(function, [self.builder.extract_element(x.value, at)])
            out = self.builder.insert_element(out, value, at)
        return Vector(self, out)


ROUND = 1.5 * 2.0**52  # a number plus this has its nearest integer in its last bits
LN2 = math.log(2.0)
LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")  # short, so that small multiples are exact
LN2_LOW = 1.9082149292705877e-10
LEAST, MOST = -708.0, 709.0  # beyond, exp is 0 and infinity here


def _bits(code: Code) -> Any:
    return code.ir.VectorType(code.ir.IntType(64), LANES)


def exponential(x: Vector) -> Vector:
    r"""Write :math:`e^x = 2^n e^r`, :math:`|r| \le \log(2)/2`, e^r by its series."""
    code, b = x.code, x.code.builder
    shifted = (x * (1.0 / LN2)).exactly("fadd", ROUND)
    n = shifted.exactly("fsub", ROUND)
    r = x.exactly("fsub", n * LN2_HIGH).exactly("fsub", n * LN2_LOW)
    series = code.vector(1.0 / math.factorial(13))
    for k in range(12, -1, -1):
        series = series * r + 1.0 / math.factorial(k)
    whole = _bits(code)
    shift = code.ir.Constant(whole, [52] * LANES)
    exponent = b.shl(b.bitcast(shifted.value, whole), shift)
    scaled = Vector(code, b.bitcast(b.add(b.bitcast(series.value, whole), exponent), code.vectors))
    bounded = (x < LEAST).choose(0.0, (x > MOST).choose(math.inf, scaled))
    return x.equals(x).choose(bounded, x)


def logarithm(x: Vector) -> Vector:
    r"""Write :math:`\log x = k \log 2 + 2 \operatorname{artanh} \frac{m-1}{m+1}`, m near 1."""
    code, b, whole = x.code, x.code.builder, _bits(x.code)

    def bits(value: int) -> Any:
        return code.ir.Constant(whole, [value] * LANES)

    # The exponent that leaves a mantissa between sqrt(1/2) and sqrt(2).
    root = int.from_bytes(bytearray.fromhex("3fe6a09e667f3bcd"))
    above = b.sub(b.bitcast(x.value, whole), bits(root))
    exponent = b.ashr(above, bits(52))
    mantissa = b.sub(b.bitcast(x.value, whole), b.shl(exponent, bits(52)))
    m = Vector(code, b.bitcast(mantissa, code.vectors))
    k = Vector(code, b.sitofp(exponent, code.vectors))
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = code.vector(2.0 / 23)
    for j in range(10, -1, -1):
        series = series * z + 2.0 / (2 * j + 1)
    value = (k * LN2_HIGH).exactly("fadd", (series * s).exactly("fadd", k * LN2_LOW))
    value = (x < math.inf).choose(value, x)
    return (x > 0.0).choose(value, x.equals(0.0).choose(-math.inf, math.nan))


__all__ = ["FLAGS", "LANES", "Code", "Module", "available"]
