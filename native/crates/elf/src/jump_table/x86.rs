//! Jump tables on x86 (AMD64 Architecture Programmer's Manual, volume 3). Entries are addresses, as in the first line,
//! or distances from the table, as in the second one.
//!
//! ```text
//! cmp $9, %edi; ja default; mov %edi, %eax; jmp *table(,%rax,8)
//! cmp $9, %edi; ja default; lea table(%rip), %rax; movslq (%rax,%rdi,4), %rcx; add %rax, %rcx; jmp *%rcx
//! ```

use iced_x86::{ConditionCode, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

use super::preceding_code::{self, LOOK_BACK, MAX_ENTRIES};
use crate::Svma;

/// Number of instructions in which the address of a table is searched. The code can take the address before a loop
/// that has the jump.
const MAX_INSTRUCTIONS: usize = 1024;

/// Size of a distance in bytes.
const DISTANCE_SIZE: usize = 4;

/// A jump table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    pub address: Svma,
    pub entry_size: usize,
    /// Number of entries that the comparison in the code allows, if there is one.
    pub entries: Option<usize>,
    /// Address to which the entries are added. `None` if the entries are addresses.
    pub base: Option<Svma>,
}

impl Table {
    /// Returns a table of unknown length, whose entries are distances from the table.
    pub(super) fn of_distances(address: Svma) -> Self {
        Self {
            address,
            entry_size: DISTANCE_SIZE,
            entries: None,
            base: Some(address),
        }
    }

    /// Returns the target of the entry with these bytes.
    pub(super) fn target(&self, entry: &[u8]) -> Svma {
        let value = entry.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        match self.base {
            Some(base) => base.wrapping_add(i64::from(value as u32 as i32) as u64),
            None => Svma(value),
        }
    }
}

/// The instructions before one instruction.
type PrecedingCode<'a> = preceding_code::PrecedingCode<'a, Instruction>;

/// Returns the table of a jump, if the code before the jump states the table. An address has `address_size` bytes.
pub(super) fn find_table(jump: &Instruction, before: PrecedingCode<'_>, address_size: usize) -> Option<Table> {
    if jump.flow_control() != FlowControl::IndirectBranch {
        return None;
    }
    if jump.op0_kind() == OpKind::Memory {
        return table_of_addresses(jump, before, address_size);
    }
    let wanted = jump.op0_register();
    let (at, setter) = find_definition(before, wanted, LOOK_BACK)?;
    match setter.mnemonic() {
        Mnemonic::Mov => table_of_addresses(&setter, before.up_to(at), address_size),
        Mnemonic::Add if setter.op1_kind() == OpKind::Register => {
            table_of_distances(setter.op0_register(), setter.op1_register(), before.up_to(at))
                .or_else(|| table_of_distances(setter.op1_register(), setter.op0_register(), before.up_to(at)))
        }
        _ => None,
    }
}

/// Returns the table of addresses from which `load` reads, as `find_table(,%reg,8)` does.
fn table_of_addresses(load: &Instruction, before: PrecedingCode<'_>, address_size: usize) -> Option<Table> {
    let is_table = load.op_kinds().any(|kind| kind == OpKind::Memory)
        && load.memory_base() == Register::None
        && load.memory_index() != Register::None
        && load.memory_index_scale() as usize == address_size;
    is_table.then(|| Table {
        address: Svma(load.memory_displacement64()),
        entry_size: address_size,
        entries: find_index_bound(before, load.memory_index()),
        base: None,
    })
}

/// Returns the table of distances from `base` from which `distance` was loaded, by `movslq (base,index,4), distance`.
fn table_of_distances(distance: Register, base: Register, before: PrecedingCode<'_>) -> Option<Table> {
    let (at, load) = find_definition(before, distance, LOOK_BACK)?;
    let is_load = load.mnemonic() == Mnemonic::Movsxd
        && load.op1_kind() == OpKind::Memory
        && load.memory_index_scale() as usize == DISTANCE_SIZE
        && load.memory_displacement64() == 0;
    if !is_load {
        return None;
    }
    let base = address(before, base)?;
    let table = address(before.up_to(at), load.memory_base())?;
    (base == table).then(|| Table {
        entries: find_index_bound(before.up_to(at), load.memory_index()),
        ..Table::of_distances(table)
    })
}

/// Returns the instruction that set a register last, and its number. Returns `None` if there is none, or if a call
/// after it may have set the register.
fn find_definition(before: PrecedingCode<'_>, wanted: Register, limit: usize) -> Option<(usize, Instruction)> {
    let mut factory = InstructionInfoFactory::new();
    for (at, instruction) in before.backwards(limit) {
        if writes_register(&mut factory, &instruction, wanted) {
            return Some((at, instruction)).filter(|_| !is_call(&instruction));
        }
    }
    None
}

fn is_call(instruction: &Instruction) -> bool {
    matches!(
        instruction.flow_control(),
        FlowControl::Call | FlowControl::IndirectCall
    )
}

/// Returns true if an instruction may change the register `wanted`.
fn writes_register(factory: &mut InstructionInfoFactory, instruction: &Instruction, wanted: Register) -> bool {
    use Register::{R8, R9, R10, R11, RAX, RCX, RDI, RDX, RSI};
    let wanted = wanted.full_register();
    if is_call(instruction) {
        return matches!(wanted, RAX | RCX | RDX | RSI | RDI | R8 | R9 | R10 | R11);
    }
    let used = factory.info(instruction).used_registers();
    instruction.is_invalid()
        || used
            .iter()
            .any(|used| is_write(used.access()) && used.register().full_register() == wanted)
}

fn is_write(access: OpAccess) -> bool {
    !matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess)
}

/// Returns the address that a register has after the instructions, if `lea address(%rip), reg` and `mov` determine it.
fn address(mut before: PrecedingCode<'_>, mut wanted: Register) -> Option<Svma> {
    let first = before.count.saturating_sub(MAX_INSTRUCTIONS);
    loop {
        let (at, setter) = find_definition(before, wanted, before.count - first)?;
        match setter.mnemonic() {
            Mnemonic::Lea if setter.is_ip_rel_memory_operand() => return Some(Svma(setter.ip_rel_memory_address())),
            Mnemonic::Mov if setter.op1_kind() == OpKind::Register => {
                (before, wanted) = (before.up_to(at), setter.op1_register());
            }
            _ => return None,
        }
    }
}

/// The register or the memory that has the index of a table.
#[derive(Clone, Copy, PartialEq)]
enum Index {
    Register(Register),
    /// Memory by segment, base, index, scale and displacement.
    Memory(Register, Register, Register, u32, u64),
}

impl Index {
    /// Returns the register or the memory that an operand of an instruction names.
    fn of(instruction: &Instruction, operand: u32) -> Option<Self> {
        match instruction.op_kind(operand) {
            OpKind::Register => Some(Self::Register(instruction.op_register(operand).full_register())),
            OpKind::Memory => Some(Self::Memory(
                instruction.memory_segment(),
                instruction.memory_base().full_register(),
                instruction.memory_index().full_register(),
                instruction.memory_index_scale(),
                instruction.memory_displacement64(),
            )),
            _ => None,
        }
    }

    /// Returns true if an instruction may change the index.
    fn may_change(self, factory: &mut InstructionInfoFactory, instruction: &Instruction) -> bool {
        match self {
            Self::Register(register) => writes_register(factory, instruction, register),
            Self::Memory(_, base, index, ..) => {
                let info = factory.info(instruction);
                let stores = info.used_memory().iter().any(|used| is_write(used.access()));
                stores
                    || is_call(instruction)
                    || [base, index]
                        .iter()
                        .any(|part| *part != Register::None && writes_register(factory, instruction, *part))
            }
        }
    }
}

/// Returns the number of values that the index can have here. The code compares the index with its largest value,
/// and a branch leaves if the index is higher; or the index is a byte, or has a mask.
fn find_index_bound(before: PrecedingCode<'_>, index: Register) -> Option<usize> {
    let here = before
        .count
        .checked_sub(1)
        .map_or(0, |last| (before.read)(last).next_ip());
    let mut factory = InstructionInfoFactory::new();
    let mut index = Index::Register(index.full_register());
    // Number of values of a byte, if the index was extended from one.
    let mut limit = None;
    // Number of bytes that a comparison must have. A comparison of 32 bits is enough: compilers know the upper half.
    let mut compared_size = 4;
    // The condition of the nearest conditional branch between the comparison and the jump, and whether the branch
    // goes to the code between the two.
    let mut branch: Option<(ConditionCode, bool)> = None;
    for (_, instruction) in before.backwards(LOOK_BACK) {
        match instruction.flow_control() {
            FlowControl::ConditionalBranch => {
                let target = instruction.near_branch_target();
                let is_inside = target > instruction.ip() && target <= here;
                branch = Some((instruction.condition_code(), is_inside));
                continue;
            }
            FlowControl::Next | FlowControl::Call | FlowControl::IndirectCall => {}
            _ => return limit,
        }
        let constant = constant(&instruction);
        let is_index = Index::of(&instruction, 0) == Some(index);
        if instruction.mnemonic() == Mnemonic::Cmp
            && is_index
            && operand_size(&instruction, 0) >= compared_size
            && let Some(constant) = constant
        {
            // A branch for one of the values says nothing of the others. An earlier comparison may.
            match branch {
                Some((ConditionCode::a, false) | (ConditionCode::be, true)) => return Some(constant + 1),
                Some((ConditionCode::ae, false) | (ConditionCode::b, true)) => return Some(constant),
                _ => {}
            }
        }
        if instruction.rflags_modified() != 0 {
            // The branch depends on the flags of this instruction.
            branch = None;
        }
        if !index.may_change(&mut factory, &instruction) {
            continue;
        }
        match instruction.mnemonic() {
            Mnemonic::Cdqe => {}
            Mnemonic::And if is_index && writes_whole_register(&instruction) => {
                return constant.map(|mask| mask + 1).or(limit);
            }
            Mnemonic::Mov | Mnemonic::Movzx | Mnemonic::Movsxd if is_index && writes_whole_register(&instruction) => {
                if instruction.mnemonic() == Mnemonic::Movzx {
                    compared_size = compared_size.min(operand_size(&instruction, 1));
                    limit = (compared_size == 1).then_some(1 << u8::BITS);
                }
                match Index::of(&instruction, 1) {
                    Some(source) => index = source,
                    None => return limit,
                }
            }
            _ => return limit,
        }
    }
    limit
}

/// Returns the second operand if it is a constant below the largest number of entries of a table.
fn constant(instruction: &Instruction) -> Option<usize> {
    let value = instruction.try_immediate(1).ok()?;
    usize::try_from(value).ok().filter(|value| *value < MAX_ENTRIES)
}

/// Returns true if an instruction sets all bits of its first operand. If it writes 32 bits of a register, it clears
/// the upper half.
fn writes_whole_register(instruction: &Instruction) -> bool {
    const CLEARS_UPPER: usize = 4;
    instruction.op0_kind() != OpKind::Register || instruction.op0_register().size() >= CLEARS_UPPER
}

/// Returns the size in bytes of an operand, which is a register or memory.
fn operand_size(instruction: &Instruction, operand: u32) -> usize {
    match instruction.op_kind(operand) {
        OpKind::Register => instruction.op_register(operand).size(),
        _ => instruction.memory_size().size(),
    }
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions};

    use super::*;

    /// Returns the table of the jump that ends `code`, which lies at 0x1000.
    fn table_of(code: &[u8]) -> Option<Table> {
        let decoder = Decoder::with_ip(64, code, 0x1000, DecoderOptions::NONE);
        let instructions: Vec<Instruction> = decoder.into_iter().collect();
        let (jump, before) = instructions.split_last()?;
        let before = PrecedingCode {
            read: &|at| before[at],
            count: before.len(),
        };
        find_table(jump, before, 8)
    }

    const CMP_9_EDI: &[u8] = &[0x83, 0xff, 0x09];
    const JA: &[u8] = &[0x77, 0x40];
    const MOV_EDI_EAX: &[u8] = &[0x89, 0xf8];
    /// `jmp *0x402010(,%rax,8)`
    const JMP_TABLE: &[u8] = &[0xff, 0x24, 0xc5, 0x10, 0x20, 0x40, 0];
    /// `lea 0x1000(%rip), %rcx; movslq (%rcx,%rax,4), %rax; add %rcx, %rax; jmp *%rax`
    const JMP_DISTANCE: &[u8] = &[
        0x48, 0x8d, 0x0d, 0, 0x10, 0, 0, 0x48, 0x63, 0x04, 0x81, 0x48, 0x01, 0xc8, 0xff, 0xe0,
    ];

    fn entries(parts: &[&[u8]]) -> Option<usize> {
        table_of(&parts.concat()).expect("a table").entries
    }

    #[test]
    fn addresses_and_distances() {
        let found = table_of(&[CMP_9_EDI, JA, MOV_EDI_EAX, JMP_TABLE].concat()).expect("a table");
        assert_eq!(
            (found.address, found.entry_size, found.entries),
            (Svma(0x40_2010), 8, Some(10))
        );
        assert_eq!(found.base, None);
        let found = table_of(&[CMP_9_EDI, JA, MOV_EDI_EAX, JMP_DISTANCE].concat()).expect("a table");
        assert_eq!(
            (found.address, found.entry_size, found.entries),
            (Svma(0x200e), 4, Some(10))
        );
        assert_eq!(found.base, Some(Svma(0x200e)));
        // The upper half of the address space, and an index in r10: `notrack jmp *-0x7f000000(,%r10,8)`.
        let found = table_of(&[0x3e, 0x42, 0xff, 0x24, 0xd5, 0, 0, 0, 0x81]).expect("a table");
        assert_eq!((found.address, found.entries), (Svma(0xffff_ffff_8100_0000), None));
        assert_eq!(table_of(&[0xff, 0xe0]), None);
    }

    #[test]
    fn the_address_can_be_taken_before_a_loop() {
        let lea_r14: &[u8] = &[0x4c, 0x8d, 0x35, 0, 0x10, 0, 0];
        let call: &[u8] = &[0xe8, 0, 0, 0, 0];
        // `movslq (%r14,%rax,4), %rax; add %r14, %rax; jmp *%rax`
        let jump: &[u8] = &[0x49, 0x63, 0x04, 0x86, 0x4c, 0x01, 0xf0, 0xff, 0xe0];
        let found = table_of(&[lea_r14, call, CMP_9_EDI, JA, MOV_EDI_EAX, jump].concat()).expect("a table");
        assert_eq!((found.address, found.entries), (Svma(0x2007), Some(10)));
        // A call may change rcx.
        let lea: &[u8] = &[0x48, 0x8d, 0x0d, 0, 0x10, 0, 0];
        assert_eq!(table_of(&[lea, call, &JMP_DISTANCE[7..]].concat()), None);
    }

    #[test]
    fn forms_of_the_comparison() {
        // cmpb $9, %dil; ja; movzbl %dil, %eax
        let byte: &[u8] = &[0x40, 0x80, 0xff, 0x09, 0x77, 0x40, 0x40, 0x0f, 0xb6, 0xc7];
        assert_eq!(entries(&[byte, JMP_TABLE]), Some(10));
        // cmp $0x1ff, %rax; jae
        let long: &[u8] = &[0x48, 0x3d, 0xff, 0x01, 0, 0, 0x0f, 0x83, 0, 1, 0, 0];
        assert_eq!(entries(&[long, JMP_TABLE]), Some(0x1ff));
        // cmpl $9, 8(%rdi); ja; mov 8(%rdi), %eax
        let memory: &[u8] = &[0x83, 0x7f, 0x08, 0x09, 0x77, 0x40, 0x8b, 0x47, 0x08];
        assert_eq!(entries(&[memory, JMP_TABLE]), Some(10));
        // The same, but of 12(%rdi).
        let other: &[u8] = &[0x83, 0x7f, 0x0c, 0x09, 0x77, 0x40, 0x8b, 0x47, 0x08];
        assert_eq!(entries(&[other, JMP_TABLE]), None);
        // cmp $9, %edi; jbe to where the table is used
        assert_eq!(entries(&[CMP_9_EDI, &[0x76, 0x00], MOV_EDI_EAX, JMP_TABLE]), Some(10));
        // cmp $3, %edi; je between the comparison and the jump
        assert_eq!(
            entries(&[CMP_9_EDI, JA, &[0x83, 0xff, 0x03, 0x74, 0x40], MOV_EDI_EAX, JMP_TABLE]),
            Some(10)
        );
        // and $7, %eax
        assert_eq!(entries(&[&[0x83, 0xe0, 0x07], JMP_TABLE]), Some(8));
        // movzbl (%rdi), %eax
        assert_eq!(entries(&[&[0x0f, 0xb6, 0x07], JMP_TABLE]), Some(256));
    }

    #[test]
    fn comparisons_that_say_nothing() {
        // Of another register.
        assert_eq!(entries(&[&[0x83, 0xfe, 0x09], JA, MOV_EDI_EAX, JMP_TABLE]), None);
        // With signs: jg
        assert_eq!(entries(&[CMP_9_EDI, &[0x7f, 0x40], MOV_EDI_EAX, JMP_TABLE]), None);
        // Of so many values that there is no such table: cmp $-2, %edi
        assert_eq!(entries(&[&[0x83, 0xff, 0xfe], JA, MOV_EDI_EAX, JMP_TABLE]), None);
        // Of a value of which only one byte is the index's: mov %dil, %al
        assert_eq!(entries(&[CMP_9_EDI, JA, &[0x40, 0x88, 0xf8], JMP_TABLE]), None);
        // Of the lowest byte of the index: cmpb $9, %dil
        assert_eq!(entries(&[&[0x40, 0x80, 0xff, 0x09], JA, MOV_EDI_EAX, JMP_TABLE]), None);
        // Of a value that the index no longer has: inc %edi
        assert_eq!(entries(&[CMP_9_EDI, JA, &[0xff, 0xc7], MOV_EDI_EAX, JMP_TABLE]), None);
        // The branch is of another comparison: cmp $1, %esi
        assert_eq!(
            entries(&[CMP_9_EDI, &[0x83, 0xfe, 0x01], JA, MOV_EDI_EAX, JMP_TABLE]),
            None
        );
        // The branch goes to the code with the table.
        assert_eq!(entries(&[CMP_9_EDI, &[0x77, 0x00], MOV_EDI_EAX, JMP_TABLE]), None);
        // Execution does not get past a return.
        assert_eq!(entries(&[CMP_9_EDI, JA, &[0xc3], MOV_EDI_EAX, JMP_TABLE]), None);
    }
}
