//! Which opcodes LLVM 22 knows: tables that were made by asking it (`test/opcodes`).

use crate::isa::class::InstructionClass;

include!(concat!(env!("OUT_DIR"), "/opcodes.rs"));

/// Parts of an encoding that some operands do not take: extensions of register numbers, and registers in `vvvv`.
pub(super) mod extension {
    /// The reg field's number is 8 or more within its 16: REX.R and its like.
    pub(in super::super) const R8: u16 = 1;
    /// The reg field's number is 16 or more: R4 of REX2 and EVEX.
    pub(in super::super) const R16: u16 = 1 << 1;
    /// The same for the register in the r/m field: B.
    pub(in super::super) const B8: u16 = 1 << 2;
    /// B4.
    pub(in super::super) const B16: u16 = 1 << 3;
    /// X of EVEX, which extends a vector register in the r/m field.
    pub(in super::super) const X16: u16 = 1 << 4;
    /// A bit of `vvvv` below the highest.
    pub(in super::super) const V1: u16 = 1 << 5;
    /// The highest bit of `vvvv`.
    pub(in super::super) const V8: u16 = 1 << 6;
    /// V' of EVEX.
    pub(in super::super) const V16: u16 = 1 << 7;
    /// X4 and V' of EVEX both, for an index register that is a vector.
    pub(in super::super) const X32: u16 = 1 << 8;
}

/// The classes that the tables tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Other,
    Call,
    Return,
    Jump,
    Branch,
    /// `jmpabs` of APX, which LLVM does not take for a branch.
    AbsoluteJump,
}

impl Class {
    #[inline]
    pub(super) fn instruction_class(self, jmpabs_jumps: bool) -> InstructionClass {
        match self {
            Self::Other => InstructionClass::Other,
            Self::Call => InstructionClass::Call,
            Self::Return => InstructionClass::Return,
            Self::Jump => InstructionClass::Jump,
            Self::Branch => InstructionClass::Branch,
            Self::AbsoluteJump if jmpabs_jumps => InstructionClass::Jump,
            Self::AbsoluteJump => InstructionClass::Other,
        }
    }
}

/// What an opcode with one form of ModR/M byte is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) class: Class,
    /// Bytes behind the operands.
    pub(super) immediate: u8,
    /// Whether an operand-size prefix before the encoding leaves two bytes of the immediate.
    pub(super) shrinks: bool,
    /// Whether memory must be addressed with a SIB byte.
    pub(super) sib: bool,
    /// Of [`extension`].
    pub(super) refused: u16,
}

impl Kind {
    /// Stands for "no instruction", which is kind 0.
    const NONE: Self = Self {
        class: Class::Other,
        immediate: 0,
        shrinks: false,
        sib: false,
        refused: 0,
    };
}

/// The opcodes of one mode.
pub(super) struct Opcodes {
    kinds: &'static [Kind],
    /// Kinds by form of the ModR/M byte.
    cells: &'static [[u8; FORMS]],
    reads_modrm: &'static [u8],
    /// Cells by opcode.
    rows: &'static [[u8; 256]],
    /// Cells by [`Evex`]'s bits.
    evex_rows: &'static [[u8; 96]],
    /// Rows by map and [`Legacy`]'s bits.
    legacy: &'static [[u8; 24]],
    rex2: &'static [u8; 24],
    /// Rows by map, from 1, and [`Vex`]'s bits.
    vex: &'static [[u8; 16]],
    /// The same, from map 8.
    xop: &'static [[u8; 16]],
    /// EVEX rows by map, from 1, `pp` and W, and by opcode.
    evex: &'static [[u8; 256]],
}

const FORMS: usize = 72;

/// A cell's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell(u8);

/// The prefixes that select an instruction of a map without VEX.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Legacy {
    pub(super) operand_size: bool,
    pub(super) address_size: bool,
    /// 0, or 1 for F3 and 2 for F2.
    pub(super) repeat: u8,
    pub(super) w: bool,
}

impl Opcodes {
    /// The opcode in legacy map 0 to 3, or 4 for 3DNow!.
    #[inline]
    pub(super) fn legacy(&self, map: usize, opcode: u8, prefixes: Legacy) -> Cell {
        self.in_row(self.legacy[map][prefixes.index()], opcode)
    }

    /// The opcode in legacy map 0 or 1 without prefixes, but with REX.W or not.
    #[inline]
    pub(super) fn without_prefixes(&self, map: usize, opcode: u8, w: bool) -> Cell {
        self.in_row(self.legacy[map][if w { 12 } else { 0 }], opcode)
    }

    /// The opcode in legacy map 0 behind REX2.
    pub(super) fn rex2(&self, opcode: u8, prefixes: Legacy) -> Cell {
        self.in_row(self.rex2[prefixes.index()], opcode)
    }

    /// The opcode in VEX map 1 to 3 or 5 to 7.
    pub(super) fn vex(&self, map: u8, opcode: u8, pp: u8, w: bool, l: bool) -> Cell {
        let index = usize::from(pp) * 4 + usize::from(w) * 2 + usize::from(l);
        self.in_row(self.vex[usize::from(map) - 1][index], opcode)
    }

    /// The opcode in XOP map 8 to 10.
    pub(super) fn xop(&self, map: u8, opcode: u8, pp: u8, w: bool, l: bool) -> Cell {
        let index = usize::from(pp) * 4 + usize::from(w) * 2 + usize::from(l);
        self.in_row(self.xop[usize::from(map) - 8][index], opcode)
    }

    /// The opcode in EVEX map 1 to 7. `variant` is L'L, b in bit 2, z in bit 3, no U in bit 4, and above these 0 for no mask, 1 for
    /// one, 2 for one from 4, which is NF.
    pub(super) fn evex(&self, map: u8, opcode: u8, pp: u8, w: bool, variant: u8) -> Cell {
        let table = (usize::from(map) - 1) * 8 + usize::from(pp) * 2 + usize::from(w);
        let row = self.evex[table][usize::from(opcode)];
        Cell(self.evex_rows[usize::from(row)][usize::from(variant)])
    }

    #[inline]
    fn in_row(&self, row: u8, opcode: u8) -> Cell {
        Cell(self.rows[usize::from(row)][usize::from(opcode)])
    }

    /// Whether the ModR/M byte has a say in what the opcode is.
    #[inline]
    pub(super) fn reads_modrm(&self, cell: Cell) -> bool {
        self.reads_modrm[usize::from(cell.0)] != 0
    }

    /// What the opcode is; `None` for no instruction.
    #[inline]
    pub(super) fn kind(&self, cell: Cell, modrm: u8) -> Option<&Kind> {
        let form = if modrm < 0xc0 {
            (modrm >> 3) & 7
        } else {
            8 + (modrm & 0x3f)
        };
        match self.cells[usize::from(cell.0)][usize::from(form)] {
            0 => None,
            kind => self.kinds.get(usize::from(kind)),
        }
    }
}

impl Legacy {
    fn index(self) -> usize {
        usize::from(self.w) * 12
            + usize::from(self.repeat) * 4
            + usize::from(self.address_size) * 2
            + usize::from(self.operand_size)
    }
}
