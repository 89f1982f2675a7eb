//! Tables of the opcodes that LLVM 22 knows. They were made by asking LLVM (`test/opcodes`).

use crate::isa::class::InstructionClass;

include!(concat!(env!("OUT_DIR"), "/opcodes.rs"));

/// Parts of an encoding that some operands do not accept: extensions of register numbers, and registers in `vvvv`.
pub(super) mod extension {
    /// The number in the reg field is 8 or more within its group of 16 (REX.R and its counterparts).
    pub(in super::super) const R8: u16 = 1;
    /// The number in the reg field is 16 or more (R4 of REX2 and EVEX).
    pub(in super::super) const R16: u16 = 1 << 1;
    /// The number of the register in the r/m field is 8 or more within its group of 16 (B).
    pub(in super::super) const B8: u16 = 1 << 2;
    /// The number of the register in the r/m field is 16 or more (B4).
    pub(in super::super) const B16: u16 = 1 << 3;
    /// X of EVEX is set, which extends the number of a vector register in the r/m field.
    pub(in super::super) const X16: u16 = 1 << 4;
    /// A bit of `vvvv` below the highest is set.
    pub(in super::super) const V1: u16 = 1 << 5;
    /// The highest bit of `vvvv` is set.
    pub(in super::super) const V8: u16 = 1 << 6;
    /// V' of EVEX is set.
    pub(in super::super) const V16: u16 = 1 << 7;
    /// X4 and V' of EVEX are both set, for an index register that is a vector.
    pub(in super::super) const X32: u16 = 1 << 8;
}

/// The classes that the tables distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Other,
    Call,
    Return,
    Jump,
    Branch,
    /// The instruction is `jmpabs` of APX, which LLVM does not take for a branch.
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

/// The instruction that an opcode with one form of ModR/M byte is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) class: Class,
    /// Number of bytes after the operands.
    pub(super) immediate: u8,
    /// True if an operand-size prefix before the encoding shortens the immediate to two bytes.
    pub(super) shrinks: bool,
    /// True if a memory operand needs a SIB byte.
    pub(super) sib: bool,
    /// Extensions that the operands do not accept, as bits of [`extension`].
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

/// The opcode tables of one mode (64-bit or 32-bit).
pub(super) struct Opcodes {
    kinds: &'static [Kind],
    /// Numbers of kinds, by cell and form of the ModR/M byte.
    cells: &'static [[u8; FORMS]],
    reads_modrm: &'static [u8],
    /// Numbers of cells, by row and opcode.
    rows: &'static [[u8; 256]],
    /// Numbers of cells, by EVEX row and the `variant` of [`Opcodes::evex`].
    evex_rows: &'static [[u8; 96]],
    /// Numbers of rows, by map and the bits of [`LegacyPrefixes`].
    legacy: &'static [[u8; 24]],
    rex2: &'static [u8; 24],
    /// Numbers of rows, by VEX map (from 1), and by `pp` * 4 + W * 2 + L.
    vex: &'static [[u8; 16]],
    /// Numbers of rows, by XOP map (from 8), and by `pp` * 4 + W * 2 + L.
    xop: &'static [[u8; 16]],
    /// Numbers of EVEX rows, by map (from 1), `pp` and W, and by opcode.
    evex: &'static [[u8; 256]],
}

const FORMS: usize = 72;

/// The number of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell(u8);

/// The prefixes that select an instruction of a legacy map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LegacyPrefixes {
    pub(super) operand_size: bool,
    pub(super) address_size: bool,
    /// 0 without a repeat prefix, 1 for F3, 2 for F2.
    pub(super) repeat: u8,
    pub(super) w: bool,
}

impl Opcodes {
    /// Looks up an opcode in legacy map 0 to 3, or in map 4, which is 3DNow!.
    #[inline]
    pub(super) fn legacy(&self, map: usize, opcode: u8, prefixes: LegacyPrefixes) -> Cell {
        self.in_row(self.legacy[map][prefixes.index()], opcode)
    }

    /// Looks up an opcode in legacy map 0 or 1 without prefixes. `w` tells whether REX.W is set.
    #[inline]
    pub(super) fn without_prefixes(&self, map: usize, opcode: u8, w: bool) -> Cell {
        self.in_row(self.legacy[map][if w { 12 } else { 0 }], opcode)
    }

    /// Looks up an opcode in legacy map 0 after REX2.
    pub(super) fn rex2(&self, opcode: u8, prefixes: LegacyPrefixes) -> Cell {
        self.in_row(self.rex2[prefixes.index()], opcode)
    }

    /// Looks up an opcode in VEX map 1 to 3 or 5 to 7.
    pub(super) fn vex(&self, map: u8, opcode: u8, pp: u8, w: bool, l: bool) -> Cell {
        let index = usize::from(pp) * 4 + usize::from(w) * 2 + usize::from(l);
        self.in_row(self.vex[usize::from(map) - 1][index], opcode)
    }

    /// Looks up an opcode in XOP map 8 to 10.
    pub(super) fn xop(&self, map: u8, opcode: u8, pp: u8, w: bool, l: bool) -> Cell {
        let index = usize::from(pp) * 4 + usize::from(w) * 2 + usize::from(l);
        self.in_row(self.xop[usize::from(map) - 8][index], opcode)
    }

    /// Looks up an opcode in EVEX map 1 to 7. `variant` has L'L in bits 0 and 1, b in bit 2, z in bit 3, "U is 0"
    /// in bit 4, and above these 0 for no mask, 1 for a mask below 4, 2 for a mask from 4, in which the bit NF is
    /// set.
    pub(super) fn evex(&self, map: u8, opcode: u8, pp: u8, w: bool, variant: u8) -> Cell {
        let table = (usize::from(map) - 1) * 8 + usize::from(pp) * 2 + usize::from(w);
        let row = self.evex[table][usize::from(opcode)];
        Cell(self.evex_rows[usize::from(row)][usize::from(variant)])
    }

    #[inline]
    fn in_row(&self, row: u8, opcode: u8) -> Cell {
        Cell(self.rows[usize::from(row)][usize::from(opcode)])
    }

    /// Returns true if LLVM reads a ModR/M byte after this opcode.
    #[inline]
    pub(super) fn reads_modrm(&self, cell: Cell) -> bool {
        self.reads_modrm[usize::from(cell.0)] != 0
    }

    /// Returns the kind of instruction that the opcode is; `None` if it is no instruction.
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

impl LegacyPrefixes {
    fn index(self) -> usize {
        usize::from(self.w) * 12
            + usize::from(self.repeat) * 4
            + usize::from(self.address_size) * 2
            + usize::from(self.operand_size)
    }
}
