"""向量指令: what the matcher's loops ask of the processor beyond numba: 64 rows, or 512 bits, by one step.

Planes, registers and columns are told by address: a view of an array is counted, and counting costs more than the work
and is shared between threads. Every step is plain LLVM that any processor can run; `compresses` tells whether it has
the one instruction that listing hits lives on.
"""

from __future__ import annotations

# mypy: ignore-errors
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from engine import kernel_trace as trace

LANES = 64
I1, I8, I32, I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
EIGHT, REALS = ir.VectorType(I64, 8), ir.VectorType(ir.DoubleType(), 8)


def compresses() -> bool:
    """能不能归拢: whether the processor compiled for moves chosen bytes of a register together by one instruction."""
    if config.CPU_FEATURES is not None:
        return "+avx512vbmi2" in config.CPU_FEATURES
    return bool(binding.get_host_cpu_features().get("avx512vbmi2"))


def pointer(kind):
    """地址: an intrinsic that makes a pointer to `kind` of an address."""

    @intrinsic
    def cast(typingctx, address):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(types.CPointer(kind)))

        return types.CPointer(kind)(types.int64), codegen

    return cast


float_at, int_at, word_at = pointer(types.float64), pointer(types.int32), pointer(types.uint64)
byte_at, long_at = pointer(types.uint8), pointer(types.int64)


@intrinsic
def lowest(typingctx, word):
    """Number of trailing zero bits of a word; 64 for zero."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(I1, 0))

    return types.int64(types.uint64), codegen


@intrinsic
def ones(typingctx, word):
    """Number of set bits of a word."""

    def codegen(context, builder, signature, args):
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


# ---------------------------------------------------------------- pieces of LLVM


def _data(context, builder, signature, args, at):
    return cgutils.create_struct_proxy(signature.args[at])(context, builder, args[at]).data


def _at(builder, address, offset, kind):
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def _load(builder, address, offset, kind=EIGHT):
    return builder.load(_at(builder, address, offset, kind), align=8)


def _store(builder, value, address, offset):
    builder.store(value, _at(builder, address, offset, value.type), align=8)


def _splat(builder, value, count):
    kind = ir.VectorType(value.type, count)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(I32, 0))
    zeros = ir.Constant(ir.VectorType(I32, count), [0] * count)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), zeros)


def _call(builder, name, result, *values):
    kind = ir.FunctionType(result, [v.type for v in values])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)


def _compressed(builder, lanes, word):
    """The bytes whose bit of the word is set, moved to the front."""
    none = ir.Constant(lanes.type, [0] * LANES)
    bits = builder.bitcast(word, ir.VectorType(I1, LANES))
    return _call(builder, "llvm.experimental.vector.compress.v64i8", lanes.type, lanes, bits, none)


# ---------------------------------------------------------------- columns


@intrinsic
def inside(typingctx, address, low, high):
    """Bits of the 64 values at an address that lie in [low, high]."""

    def codegen(context, builder, signature, args):
        lanes = _load(builder, args[0], I64(0), ir.VectorType(ir.DoubleType(), LANES))
        above = builder.fcmp_ordered(">=", lanes, _splat(builder, args[1], LANES))
        below = builder.fcmp_ordered("<=", lanes, _splat(builder, args[2], LANES))
        return builder.bitcast(builder.and_(above, below), I64)

    return types.uint64(types.int64, types.float64, types.float64), codegen


@intrinsic
def unknown(typingctx, address):
    """Bits of the 64 values at an address that are missing."""

    def codegen(context, builder, signature, args):
        lanes = _load(builder, args[0], I64(0), ir.VectorType(ir.DoubleType(), LANES))
        return builder.bitcast(builder.fcmp_unordered("uno", lanes, lanes), I64)

    return types.uint64(types.int64), codegen


def _bits_of(builder, found):
    """64 answers as the bits of a word."""
    return builder.bitcast(found, I64)


@intrinsic
def below_zero(typingctx, address):
    """Bits of the 64 whole numbers (int32) at an address that are negative."""

    def codegen(context, builder, signature, args):
        lanes = _load(builder, args[0], I64(0), ir.VectorType(I32, LANES))
        zeros = ir.Constant(lanes.type, [0] * LANES)
        return _bits_of(builder, builder.icmp_signed("<", lanes, zeros))

    return types.uint64(types.int64), codegen


@intrinsic
def marked(typingctx, address, mark):
    """Bits of the 64 bytes at an address that have the mark's bit."""

    def codegen(context, builder, signature, args):
        lanes = _load(builder, args[0], I64(0), ir.VectorType(I8, LANES))
        wanted = _splat(builder, builder.trunc(args[1], I8), LANES)
        zeros = ir.Constant(lanes.type, [0] * LANES)
        return _bits_of(builder, builder.icmp_unsigned("!=", builder.and_(lanes, wanted), zeros))

    return types.uint64(types.int64, types.uint64), codegen


@intrinsic
def compared(typingctx, left, left_size, right, right_size, exact, tolerance, more, less, same, other, out):
    """64 comparisons (evaluate.compare) of values and magnitudes at addresses: bits that are sure to out, unknown to
    out + 8. `exact`, `more`, `less`, `same` and `other` are all ones or zero: no tolerance, and what the operator is
    true of."""

    def codegen(context, builder, signature, args):
        words = {name: I64(0) for name in ("near", "equal", "above", "below", "blank")}
        for part in range(8):
            a, am, b, bm = (_load(builder, args[i], I64(64 * part), REALS) for i in range(4))
            first = builder.or_(builder.fcmp_ordered(">=", am, bm), builder.fcmp_unordered("uno", bm, bm))
            size = builder.select(first, am, bm)
            apart = _call(builder, "llvm.fabs.v8f64", REALS, builder.fsub(a, b))
            found = {
                "near": builder.fcmp_ordered("<=", apart, builder.fmul(_splat(builder, args[5], 8), size)),
                "equal": builder.fcmp_ordered("==", a, b),
                "above": builder.fcmp_ordered(">", a, b),
                "below": builder.fcmp_ordered("<", a, b),
                "blank": builder.fcmp_unordered("uno", a, b),
            }
            for name, bits in found.items():
                byte = builder.zext(builder.bitcast(bits, I8), I64)
                words[name] = builder.or_(words[name], builder.shl(byte, I64(8 * part)))
        exact, more, less, same, other = (args[i] for i in (4, 6, 7, 8, 9))
        both = builder.and_(words["equal"], exact)
        equal = builder.or_(both, builder.and_(words["near"], builder.not_(exact)))
        beyond = builder.or_(builder.and_(words["above"], more), builder.and_(words["below"], less))
        beyond = builder.and_(builder.or_(beyond, other), builder.not_(equal))
        holds = builder.or_(builder.and_(equal, same), beyond)
        _store(builder, builder.and_(holds, builder.not_(words["blank"])), args[10], I64(0))
        _store(builder, words["blank"], args[10], I64(8))
        return context.get_dummy_value()

    w, i = types.uint64, types.int64
    return types.void(i, i, i, i, w, types.float64, w, w, w, w, i), codegen


# ---------------------------------------------------------------- planes


@intrinsic
def meet(typingctx, acc, planes, begin, end, chunks):
    """acc &= the planes at the addresses planes[begin:end], `chunks` times 512 bits; how many bits are left."""

    def codegen(context, builder, signature, args):
        target, addresses = args[0], _data(context, builder, signature, args, 1)
        total = cgutils.alloca_once(builder, EIGHT)
        now = cgutils.alloca_once(builder, EIGHT)
        builder.store(ir.Constant(EIGHT, [0] * 8), total)
        with cgutils.for_range(builder, args[4]) as chunk:
            offset = builder.mul(chunk.index, I64(64))
            builder.store(_load(builder, target, offset), now)
            with cgutils.for_range(builder, args[3], start=args[2]) as step:
                plane = _load(builder, builder.load(builder.gep(addresses, [step.index])), offset)
                builder.store(builder.and_(builder.load(now), plane), now)
            left = builder.load(now)
            _store(builder, left, target, offset)
            count = _call(builder, "llvm.ctpop.v8i64", EIGHT, left)
            builder.store(builder.add(builder.load(total), count), total)
        return _call(builder, "llvm.vector.reduce.add.v8i64", I64, builder.load(total))

    return types.int64(types.int64, planes, types.int64, types.int64, types.int64), codegen


@intrinsic
def filled(typingctx, plane, out, chunks):
    """A bit for each word of the plane at an address that is not zero, to the address out."""

    def codegen(context, builder, signature, args):
        with cgutils.for_range(builder, args[2]) as chunk:
            words = _load(builder, args[0], builder.mul(chunk.index, I64(64)))
            some = builder.icmp_unsigned("!=", words, ir.Constant(EIGHT, [0] * 8))
            to = builder.inttoptr(builder.add(args[1], chunk.index), I8.as_pointer())
            builder.store(builder.bitcast(some, I8), to)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def _plane_step(make):
    """An intrinsic (to, from, chunks) over addresses; `make` gives what is stored, from what stands at both."""

    @intrinsic
    def step(typingctx, to, given, chunks):
        def codegen(context, builder, signature, args):
            with cgutils.for_range(builder, args[2]) as chunk:
                offset = builder.mul(chunk.index, I64(64))
                value = make(
                    builder,
                    lambda: _load(builder, args[0], offset),
                    lambda shift=0: _load(builder, builder.add(args[1], I64(shift)), offset),
                )
                _store(builder, value, args[0], offset)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen

    return step


take = _plane_step(lambda b, mine, other: other())
take_not = _plane_step(lambda b, mine, other: b.not_(other()))
also = _plane_step(lambda b, mine, other: b.and_(mine(), other()))
either = _plane_step(lambda b, mine, other: b.or_(mine(), other()))


def open_step(side: int):
    """存疑: an intrinsic that stores what is possible and not sure, the sure plane standing `side` bytes further."""
    return _plane_step(lambda b, mine, other: b.and_(other(), b.not_(other(side))))


@intrinsic
def copy_bytes(typingctx, to, given, count):
    """Copies bytes between places that don't overlap."""

    def codegen(context, builder, signature, args):
        places = [builder.inttoptr(a, I8.as_pointer()) for a in args[:2]]
        cgutils.raw_memcpy(builder, *places, args[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


# ---------------------------------------------------------------- listing


@intrinsic
def put_rows(typingctx, word, first, out):
    """Writes first + i (int32) for every set bit i of the word to the address out, up to 64 of them; returns how many."""

    def codegen(context, builder, signature, args):
        word, first, out = args
        lanes = ir.Constant(ir.VectorType(I8, LANES), list(range(LANES)))
        chosen = _compressed(builder, lanes, word)
        count = builder.ctpop(word)
        base = _splat(builder, first, 16)

        def quarter(q):
            picks = ir.Constant(ir.VectorType(I32, 16), list(range(16 * q, 16 * q + 16)))
            part = builder.shuffle_vector(chosen, ir.Constant(chosen.type, ir.Undefined), picks)
            rows = builder.add(builder.zext(part, base.type), base)
            builder.store(rows, _at(builder, out, I64(64 * q), rows.type), align=4)

        quarter(0)
        with builder.if_then(builder.icmp_unsigned(">", count, I64(16)), likely=False):
            for q in (1, 2, 3):
                quarter(q)
        return count

    return types.int64(types.uint64, types.int32, types.int64), codegen


def put_marks_step(side: int):
    """写掩码: an intrinsic that writes, for each set bit of a word, a byte of which of eight planes have that row; the
    planes' words stand `side` bytes apart."""

    @intrinsic
    def put_marks(typingctx, word, planes, out):
        def codegen(context, builder, signature, args):
            lanes = ir.VectorType(I8, LANES)
            marks = ir.Constant(lanes, [0] * LANES)
            for k in range(8):
                bits = _load(builder, args[1], I64(side * k), I64)
                flags = builder.bitcast(bits, ir.VectorType(I1, LANES))
                marked = builder.add(marks, ir.Constant(lanes, [(1 << k) - (256 if k == 7 else 0)] * LANES))
                marks = builder.select(flags, marked, marks)
            chosen = _compressed(builder, marks, args[0])
            builder.store(chosen, _at(builder, args[2], I64(0), lanes), align=1)
            return context.get_dummy_value()

        return types.void(types.uint64, types.int64, types.int64), codegen

    return put_marks


# ---------------------------------------------------------------- straight-line programs


def _flag(builder, bits):
    one, zero = (ir.Constant(REALS, [x] * 8) for x in (1.0, 0.0))
    return builder.select(bits, one, zero)


def _same(b, name, a):
    return _call(b, f"llvm.{name}.v8f64", REALS, a)


def _number(x):
    return ir.Constant(REALS, [x] * 8)


def _nan(b, a):
    return b.fcmp_unordered("uno", a, a)


def _either(b, op, one, other, blank):
    """`one` where it compares so with the other or `blank` is missing, else the other."""
    return b.select(b.or_(b.fcmp_ordered(op, one, other), _nan(b, blank)), one, other)


def _fen(b, a):
    return b.fdiv(_same(b, "floor", b.fadd(b.fmul(a, _number(100.0)), _number(0.5))), _number(100.0))


def _nudge(b, a, x):
    return b.fadd(a, b.fmul(_same(b, "fabs", a), x))


# what each operation of kernel_trace gives of eight values each of a, b, c and the constant x
_MEANING = {
    trace.CONST: lambda f, a, b, c, x: x(),
    trace.ADD: lambda f, a, b, c, x: f.fadd(a(), b()),
    trace.SUB: lambda f, a, b, c, x: f.fsub(a(), b()),
    trace.MUL: lambda f, a, b, c, x: f.fmul(a(), b()),
    trace.DIV: lambda f, a, b, c, x: f.fdiv(a(), b()),
    trace.MAX: lambda f, a, b, c, x: _either(f, ">", a(), b(), a()),
    trace.MIN: lambda f, a, b, c, x: _either(f, "<", a(), b(), a()),
    trace.FMAX: lambda f, a, b, c, x: _either(f, ">=", a(), b(), b()),
    trace.FMIN: lambda f, a, b, c, x: _either(f, "<=", a(), b(), b()),
    trace.GT: lambda f, a, b, c, x: _flag(f, f.fcmp_ordered(">", a(), b())),
    trace.GE: lambda f, a, b, c, x: _flag(f, f.fcmp_ordered(">=", a(), b())),
    trace.EQ: lambda f, a, b, c, x: _flag(f, f.fcmp_ordered("==", a(), b())),
    trace.NE: lambda f, a, b, c, x: _flag(f, f.fcmp_unordered("!=", a(), b())),
    trace.AND: lambda f, a, b, c, x: f.fmul(a(), b()),
    trace.OR: lambda f, a, b, c, x: _either(f, ">=", a(), b(), a()),
    trace.NOT: lambda f, a, b, c, x: f.fsub(_number(1.0), a()),
    trace.WHERE: lambda f, a, b, c, x: f.select(f.fcmp_unordered("!=", a(), _number(0.0)), b(), c()),
    trace.ABS: lambda f, a, b, c, x: _same(f, "fabs", a()),
    trace.NEG: lambda f, a, b, c, x: f.fneg(a()),
    trace.ISNAN: lambda f, a, b, c, x: _flag(f, _nan(f, a())),
    trace.ISINF: lambda f, a, b, c, x: _flag(
        f, f.fcmp_ordered("==", _same(f, "fabs", a()), _number(float("inf")))
    ),
    trace.FLOOR: lambda f, a, b, c, x: _same(f, "floor", a()),
    trace.TRUNC: lambda f, a, b, c, x: _same(f, "trunc", a()),
    trace.RINT: lambda f, a, b, c, x: _same(f, "rint", a()),
    trace.ADDK: lambda f, a, b, c, x: f.fadd(a(), x()),
    trace.SUBK: lambda f, a, b, c, x: f.fsub(a(), x()),
    trace.KSUB: lambda f, a, b, c, x: f.fsub(x(), a()),
    trace.MULK: lambda f, a, b, c, x: f.fmul(a(), x()),
    trace.DIVK: lambda f, a, b, c, x: f.fdiv(a(), x()),
    trace.KDIV: lambda f, a, b, c, x: f.fdiv(x(), a()),
    trace.MAXK: lambda f, a, b, c, x: _either(f, ">", a(), x(), a()),
    trace.MINK: lambda f, a, b, c, x: _either(f, "<", a(), x(), a()),
    trace.GTK: lambda f, a, b, c, x: _flag(f, f.fcmp_ordered(">", a(), x())),
    trace.GEK: lambda f, a, b, c, x: _flag(f, f.fcmp_ordered(">=", a(), x())),
    trace.LTK: lambda f, a, b, c, x: _flag(f, f.fcmp_ordered("<", a(), x())),
    trace.LEK: lambda f, a, b, c, x: _flag(f, f.fcmp_ordered("<=", a(), x())),
    trace.EQK: lambda f, a, b, c, x: _flag(f, f.fcmp_ordered("==", a(), x())),
    trace.NUDGE: lambda f, a, b, c, x: _nudge(f, a(), x()),
    trace.FEN: lambda f, a, b, c, x: _fen(f, a()),
    trace.NUDGEFEN: lambda f, a, b, c, x: _fen(f, _nudge(f, a(), x())),
}


@intrinsic
def run_step(typingctx, op, to, a, b, c, x, chunks):
    """One operation of a program on registers at addresses, eight values `chunks` times."""

    def codegen(context, builder, signature, args):
        op, to, a, b, c, x, chunks = args
        wide = _splat(builder, x, 8)
        after = builder.append_basic_block("after")
        switch = builder.switch(op, after)
        for number, make in _MEANING.items():
            block = builder.append_basic_block(f"op{number}")
            switch.add_case(I64(number), block)
            with builder.goto_block(block):
                with cgutils.for_range(builder, chunks) as chunk:
                    offset = builder.mul(chunk.index, I64(64))

                    def read(address, offset=offset):
                        return lambda: _load(builder, address, offset, REALS)

                    value = make(builder, read(a), read(b), read(c), lambda: wide)
                    _store(builder, value, to, offset)
                builder.branch(after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    i = types.int64
    return types.void(i, i, i, i, i, types.float64, i), codegen
