//! Assembles instructions of the kernel's BPF machine (`Documentation/bpf/standardization/instruction-set.rst`).
//! The kernel checks every program before it runs it; what is assembled wrongly here is refused there.

use super::btf::BtfField;

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Register(u8);

/// The result of a function.
pub(crate) const R0: Register = Register(0);
/// The first argument of a function; R1 to R5 are lost in a call.
pub(crate) const R1: Register = Register(1);
pub(crate) const R2: Register = Register(2);
pub(crate) const R3: Register = Register(3);
pub(crate) const R4: Register = Register(4);
/// R6 to R9 are kept in a call.
pub(crate) const R6: Register = Register(6);
pub(crate) const R7: Register = Register(7);
pub(crate) const R8: Register = Register(8);
pub(crate) const R9: Register = Register(9);
/// The end of the stack, which grows downwards.
pub(crate) const STACK: Register = Register(10);

/// A place in the program that jumps can name before it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JumpLabel(usize);

/// The functions of the kernel that are called by number (`enum bpf_func_id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Helper {
    MapLookupElement = 1,
    GetCurrentPidTgid = 14,
    GetCurrentComm = 16,
    GetCurrentTask = 35,
    ProbeReadKernel = 113,
    /// 5.8, as the next three.
    KtimeGetBootNs = 125,
    RingBufferReserve = 131,
    RingBufferSubmit = 132,
    RingBufferDiscard = 133,
    /// 5.17.
    Loop = 181,
    /// 5.19.
    MapLookupPerCpuElement = 195,
}

/// What a 64-bit constant means (`BPF_PSEUDO_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConstantKind {
    Number = 0,
    Map = 1,
    Function = 4,
}

/// A program under construction.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    code: Vec<u64>,
    labels: Vec<Option<usize>>,
    jumps: Vec<(usize, JumpLabel)>,
    functions: Vec<(usize, JumpLabel)>,
}

/// The bits of an operation that say how many bytes it moves.
const fn width(size: u32) -> u8 {
    match size {
        1 => 0x10,
        2 => 0x08,
        4 => 0x00,
        _ => 0x18,
    }
}

impl Assembler {
    fn put(&mut self, operation: u8, to: Register, from: Register, offset: i16, immediate: i32) {
        self.code.push(
            u64::from(operation)
                | u64::from(to.0 | from.0 << 4) << 8
                | u64::from(offset.cast_unsigned()) << 16
                | u64::from(immediate.cast_unsigned()) << 32,
        );
    }

    /// A label that is placed later.
    pub(crate) fn label(&mut self) -> JumpLabel {
        self.labels.push(None);
        JumpLabel(self.labels.len() - 1)
    }

    /// Places a label here.
    pub(crate) fn place(&mut self, label: JumpLabel) {
        self.labels[label.0] = Some(self.code.len());
    }

    pub(crate) fn copy(&mut self, to: Register, from: Register) {
        self.put(0xbf, to, from, 0, 0);
    }

    pub(crate) fn set(&mut self, to: Register, number: i32) {
        self.put(0xb7, to, R0, 0, number);
    }

    pub(crate) fn add(&mut self, to: Register, number: i32) {
        self.put(0x07, to, R0, 0, number);
    }

    pub(crate) fn add_register(&mut self, to: Register, from: Register) {
        self.put(0x0f, to, from, 0, 0);
    }

    pub(crate) fn and(&mut self, to: Register, bits: i32) {
        self.put(0x57, to, R0, 0, bits);
    }

    pub(crate) fn or(&mut self, to: Register, bits: i32) {
        self.put(0x47, to, R0, 0, bits);
    }

    pub(crate) fn or_register(&mut self, to: Register, from: Register) {
        self.put(0x4f, to, from, 0, 0);
    }

    pub(crate) fn shift_left(&mut self, to: Register, bits: i32) {
        self.put(0x67, to, R0, 0, bits);
    }

    pub(crate) fn shift_right(&mut self, to: Register, bits: i32) {
        self.put(0x77, to, R0, 0, bits);
    }

    /// Shifts right and keeps the sign.
    pub(crate) fn shift_right_signed(&mut self, to: Register, bits: i32) {
        self.put(0xc7, to, R0, 0, bits);
    }

    /// Loads a field of the structure at `from`.
    pub(crate) fn load_field(&mut self, to: Register, from: Register, field: BtfField) {
        self.load(to, from, field.offset, field.size);
    }

    pub(crate) fn load(&mut self, to: Register, from: Register, offset: i16, size: u32) {
        self.put(0x61 | width(size), to, from, offset, 0);
    }

    pub(crate) fn store(&mut self, to: Register, offset: i16, from: Register, size: u32) {
        self.put(0x63 | width(size), to, from, offset, 0);
    }

    pub(crate) fn store_number(&mut self, to: Register, offset: i16, number: i32, size: u32) {
        self.put(0x62 | width(size), to, R0, offset, number);
    }

    fn set_wide(&mut self, to: Register, kind: ConstantKind, value: u64) {
        self.put(0x18, to, Register(kind as u8), 0, (value as u32).cast_signed());
        let high = if kind == ConstantKind::Number { value >> 32 } else { 0 };
        self.code.push(high << 32);
    }

    /// Sets a 64-bit number.
    pub(crate) fn set_number(&mut self, to: Register, number: u64) {
        self.set_wide(to, ConstantKind::Number, number);
    }

    /// Sets the map with this descriptor.
    pub(crate) fn set_map(&mut self, to: Register, descriptor: i32) {
        self.set_wide(to, ConstantKind::Map, descriptor as u64);
    }

    /// Sets the function of this program that starts at `label`.
    pub(crate) fn set_function(&mut self, to: Register, label: JumpLabel) {
        self.functions.push((self.code.len(), label));
        self.set_wide(to, ConstantKind::Function, 0);
    }

    pub(crate) fn call(&mut self, helper: Helper) {
        self.put(0x85, R0, R0, 0, helper as i32);
    }

    /// Calls a kernel function by the number of its type.
    pub(crate) fn call_kernel(&mut self, id: u32) {
        self.put(0x85, R0, R2, 0, id.cast_signed());
    }

    fn jump_with(&mut self, operation: u8, a: Register, b: Register, number: i32, to: JumpLabel) {
        self.jumps.push((self.code.len(), to));
        self.put(operation, a, b, 0, number);
    }

    pub(crate) fn jump(&mut self, to: JumpLabel) {
        self.jump_with(0x05, R0, R0, 0, to);
    }

    pub(crate) fn jump_if_equal(&mut self, a: Register, number: i32, to: JumpLabel) {
        self.jump_with(0x15, a, R0, number, to);
    }

    pub(crate) fn jump_unless_equal(&mut self, a: Register, number: i32, to: JumpLabel) {
        self.jump_with(0x55, a, R0, number, to);
    }

    pub(crate) fn jump_if_same(&mut self, a: Register, b: Register, to: JumpLabel) {
        self.jump_with(0x1d, a, b, 0, to);
    }

    pub(crate) fn jump_unless_same(&mut self, a: Register, b: Register, to: JumpLabel) {
        self.jump_with(0x5d, a, b, 0, to);
    }

    /// Compares without a sign.
    pub(crate) fn jump_if_below(&mut self, a: Register, number: i32, to: JumpLabel) {
        self.jump_with(0xa5, a, R0, number, to);
    }

    /// Compares without a sign.
    pub(crate) fn jump_if_at_most(&mut self, a: Register, number: i32, to: JumpLabel) {
        self.jump_with(0xb5, a, R0, number, to);
    }

    pub(crate) fn jump_if_any_bit(&mut self, a: Register, bits: i32, to: JumpLabel) {
        self.jump_with(0x45, a, R0, bits, to);
    }

    pub(crate) fn exit(&mut self) {
        self.put(0x95, R0, R0, 0, 0);
    }

    /// The number of the instruction at a label that was placed.
    pub(crate) fn position(&self, label: JumpLabel) -> Option<u32> {
        u32::try_from((*self.labels.get(label.0)?)?).ok()
    }

    /// The instructions. `None` if a label was not placed or a jump is too far.
    pub(crate) fn finish(mut self) -> Option<Vec<u64>> {
        let distance = |labels: &[Option<usize>], at: usize, label: JumpLabel| {
            let to = (*labels.get(label.0)?)?;
            i32::try_from(i64::try_from(to).ok()? - i64::try_from(at).ok()? - 1).ok()
        };
        for &(at, label) in &self.jumps {
            let offset = i16::try_from(distance(&self.labels, at, label)?).ok()?;
            *self.code.get_mut(at)? |= u64::from(offset.cast_unsigned()) << 16;
        }
        for &(at, label) in &self.functions {
            let offset = distance(&self.labels, at, label)?;
            *self.code.get_mut(at)? |= u64::from(offset.cast_unsigned()) << 32;
        }
        Some(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_have_the_bytes_of_the_standard() {
        let mut assembler = Assembler::default();
        let end = assembler.label();
        assembler.set(R1, -1); // r1 = -1
        assembler.load(R2, R1, -8, 4); // r2 = *(u32 *)(r1 - 8)
        assembler.jump_if_equal(R2, 7, end); // if r2 == 7 goto +3
        assembler.set_number(R3, 0x1122_3344_5566_7788);
        assembler.call(Helper::GetCurrentTask);
        assembler.place(end);
        assembler.exit();
        assert_eq!(assembler.position(end), Some(6));
        let code = assembler.finish().expect("placed labels");
        assert_eq!(
            code,
            [
                0xffff_ffff_0000_01b7,
                0x0000_0000_fff8_1261,
                0x0000_0007_0003_0215,
                0x5566_7788_0000_0318,
                0x1122_3344_0000_0000,
                0x0000_0023_0000_0085,
                0x0000_0000_0000_0095,
            ]
        );
    }

    #[test]
    fn a_jump_to_nowhere_is_no_program() {
        let mut assembler = Assembler::default();
        let nowhere = assembler.label();
        assembler.jump(nowhere);
        assert_eq!(assembler.position(nowhere), None);
        assert_eq!(assembler.finish(), None);
    }

    #[test]
    fn a_jump_that_is_too_far_is_no_program() {
        let mut assembler = Assembler::default();
        let far = assembler.label();
        assembler.jump(far);
        for _ in 0..40_000 {
            assembler.exit();
        }
        assembler.place(far);
        assert_eq!(assembler.finish(), None);
    }
}
