//! Determines the length and class of one x86 instruction. If there is none, determines how far LLVM's disassembler
//! reads before it gives up, because decoding goes on there.
//!
//! The order of the steps is LLVM's (LLVM: X86Disassembler.cpp): prefixes, opcode, the ModR/M byte if it selects
//! the instruction, operands, immediates. The encodings are those of the AMD64 APM volume 3 chapter 1, the Intel
//! SDM volume 2 chapter 2, and Intel's APX specification chapter 3.

use super::opcodes::{Cell, Kind, LegacyPrefixes, Opcodes, extension};
use super::prefixes::{Form, Input, Prefixes, Stop};

/// Number of an operand-size prefix in the `pp` field of VEX and EVEX, and in LLVM's opcode tables.
const PP_66: u8 = 1;

/// Returns the number of bytes at the start of `bytes` that LLVM takes for one instruction, and the kind of the
/// instruction if there is one.
#[inline]
pub(super) fn decode<'o>(opcodes: &'o Opcodes, is_64_bit: bool, bytes: &[u8]) -> (usize, Option<&'o Kind>) {
    if let Some((length, kind)) = decode_common(opcodes, is_64_bit, bytes) {
        return (length, Some(kind));
    }
    let mut input = Input::new(bytes);
    let kind = decode_any(opcodes, is_64_bit, &mut input).unwrap_or(None);
    (input.position.max(1), kind)
}

/// Decodes an instruction of map 0 or 1 without a prefix except REX; most instructions are of this form. Returns
/// `None` for all other instructions, and for operands that need the full decoder.
#[inline]
fn decode_common<'o>(opcodes: &'o Opcodes, is_64_bit: bool, bytes: &[u8]) -> Option<(usize, &'o Kind)> {
    let mut position = 0;
    let mut next = || {
        let byte = bytes.get(position).copied();
        position += 1;
        byte
    };
    let mut opcode = next()?;
    let mut rex = 0;
    if is_64_bit && opcode & 0xf0 == 0x40 {
        rex = opcode;
        opcode = next()?;
    }
    let map = usize::from(opcode == 0x0f);
    if map == 1 {
        opcode = next()?;
    }
    if is_prefix_or_escape(map, is_64_bit, opcode) {
        return None;
    }
    let cell = opcodes.without_prefixes(map, opcode, rex & 0x08 != 0);
    let has_modrm = opcodes.reads_modrm(cell);
    let modrm = if has_modrm { next()? } else { 0 };
    let kind = opcodes.kind(cell, modrm)?;
    if kind.sib || (kind.refused != 0 && rex != 0) {
        return None;
    }
    if has_modrm && modrm < 0xc0 {
        let has_base = if modrm & 7 == 4 {
            next()? & 7 != 5
        } else {
            modrm & 7 != 5
        };
        position += displacement(modrm >> 6, has_base);
    }
    let length = position + usize::from(kind.immediate);
    (length <= bytes.len()).then_some((length, kind))
}

/// Returns true if the byte in the place of the opcode is a prefix, or begins another encoding or another map.
#[inline]
fn is_prefix_or_escape(map: usize, is_64_bit: bool, opcode: u8) -> bool {
    if map == 1 {
        return matches!(opcode, 0x0f | 0x38 | 0x3a);
    }
    match opcode {
        0x26 | 0x2e | 0x36 | 0x3e | 0x62 | 0x64..=0x67 | 0x8f | 0xc4 | 0xc5 | 0xd5 | 0xf0 | 0xf2 | 0xf3 => true,
        _ => is_64_bit && opcode & 0xf0 == 0x40,
    }
}

/// Returns the number of bytes of the displacement after the ModR/M byte (and the SIB byte, if there is one) for
/// this mode. A displacement without a base has 32 bits.
#[inline]
fn displacement(mode: u8, has_base: bool) -> usize {
    match mode {
        1 => 1,
        2 => 4,
        _ if has_base => 0,
        _ => 4,
    }
}

fn decode_any<'o>(opcodes: &'o Opcodes, is_64_bit: bool, input: &mut Input<'_>) -> Result<Option<&'o Kind>, Stop> {
    let prefixes = Prefixes::read(is_64_bit, input)?;
    let mut found = Decoding {
        opcodes,
        prefixes: &prefixes,
        modrm: None,
    };
    let cell = match prefixes.form {
        Form::Legacy => found.legacy(input)?,
        Form::Vex => found.vex(input)?,
        Form::Xop => found.xop(input)?,
        Form::Evex => found.evex(input)?,
    };
    found.operands(cell, input)
}

/// The facts that have been found about an instruction so far.
struct Decoding<'o, 'p> {
    opcodes: &'o Opcodes,
    prefixes: &'p Prefixes,
    /// The ModR/M byte; `None` before it is read.
    modrm: Option<u8>,
}

impl<'o> Decoding<'o, '_> {
    /// Reads the ModR/M byte with its SIB byte and displacement, unless they have been read.
    #[inline]
    fn read_modrm(&mut self, input: &mut Input<'_>) -> Result<u8, Stop> {
        if let Some(modrm) = self.modrm {
            return Ok(modrm);
        }
        let modrm = input.byte()?;
        self.modrm = Some(modrm);
        let (mode, rm) = (modrm >> 6, modrm & 7);
        if mode == 3 {
            return Ok(modrm);
        }
        let count = if self.prefixes.addresses_16_bit() {
            match mode {
                0 if rm != 6 => 0,
                1 => 1,
                _ => 2,
            }
        } else {
            let has_base = if rm == 4 {
                input.byte()? & 7 != 5 || self.prefixes.b4()
            } else {
                rm != 5
            };
            displacement(mode, has_base)
        };
        input.skip(count)?;
        Ok(modrm)
    }

    fn legacy(&mut self, input: &mut Input<'_>) -> Result<Cell, Stop> {
        let prefixes = self.prefixes;
        let mut mandatory = prefixes.mandatory;
        let (map, opcode) = if prefixes.rex2_map_1() {
            (1, input.byte()?)
        } else {
            match input.byte()? {
                0x0f => match input.byte()? {
                    0x38 => (2, input.byte()?),
                    0x3a => (3, input.byte()?),
                    0x0f => {
                        self.read_modrm(input)?;
                        (4, input.byte()?)
                    }
                    opcode => (1, opcode),
                },
                opcode => {
                    mandatory = 0;
                    (0, opcode)
                }
            }
        };
        let w = prefixes.w();
        let mut key = LegacyPrefixes {
            w,
            ..LegacyPrefixes::default()
        };
        let repeat = |byte: u8| match byte {
            0xf3 => 1,
            0xf2 => 2,
            _ => 0,
        };
        match mandatory {
            0 => {
                key.operand_size = prefixes.operand_size;
                key.address_size = prefixes.address_size;
                // In map 0 a repeat prefix selects only one instruction, `pause`.
                if map != 0 || (opcode == 0x90 && prefixes.repeat == 0xf3) {
                    key.repeat = repeat(prefixes.repeat);
                }
            }
            0x66 => {
                key.operand_size = true;
                key.address_size = prefixes.address_size;
            }
            byte => key.repeat = repeat(byte),
        }
        key.address_size &= !w;
        let cell = match (map, opcode) {
            (0, 0xa1 | 0x50..=0x5f) if prefixes.has_rex2 => return Ok(self.opcodes.rex2(opcode, key)),
            _ => self.opcodes.legacy(map, opcode, key),
        };
        // LLVM looks the opcode up again with the prefixes that are not in the place where they would be part of
        // the opcode. The second answer counts for these opcodes only.
        let anywhere = matches!((map, opcode), (0, 0xa0..=0xa3) | (1, 0xae) | (2, 0xf8));
        let mut other = key;
        other.operand_size |= prefixes.operand_size;
        other.address_size |= anywhere && prefixes.address_size;
        if other == key {
            return Ok(cell);
        }
        if self.opcodes.reads_modrm(cell) {
            self.read_modrm(input)?;
        }
        let again = self.opcodes.legacy(map, opcode, other);
        if anywhere {
            return Ok(again);
        }
        if self.opcodes.reads_modrm(again) {
            self.read_modrm(input)?;
        }
        Ok(cell)
    }

    fn vex(&mut self, input: &mut Input<'_>) -> Result<Cell, Stop> {
        let prefixes = self.prefixes;
        if !matches!(prefixes.map, 1..=3 | 5..=7) {
            return Err(Stop);
        }
        let opcode = input.byte()?;
        let anywhere = (prefixes.map, opcode) == (1, 0xae);
        self.look_up_with_other_prefixes(anywhere, input, |pp, w| {
            self.opcodes.vex(prefixes.map, opcode, pp, w, prefixes.l != 0)
        })
    }

    fn xop(&mut self, input: &mut Input<'_>) -> Result<Cell, Stop> {
        let prefixes = self.prefixes;
        if !matches!(prefixes.map, 8..=10) {
            return Err(Stop);
        }
        let opcode = input.byte()?;
        self.look_up_with_other_prefixes(false, input, |pp, w| {
            self.opcodes.xop(prefixes.map, opcode, pp, w, prefixes.l != 0)
        })
    }

    fn evex(&mut self, input: &mut Input<'_>) -> Result<Cell, Stop> {
        let prefixes = self.prefixes;
        let map = prefixes.map;
        if map == 0 {
            return Err(Stop);
        }
        let opcode = input.byte()?;
        // In map 4, and in instructions of BMI, the highest bit of aaa is NF, and there is no mask.
        let has_nf = map == 4 || (map == 2 && prefixes.pp == 0 && matches!(opcode, 0xf2 | 0xf3 | 0xf5 | 0xf7));
        let mask = match prefixes.evex_aaa {
            4.. => 2,
            1.. if map != 4 => 1,
            _ => 0,
        };
        if has_nf && mask == 2 {
            self.read_modrm(input)?;
        }
        let mut variant = prefixes.l | u8::from(prefixes.evex_b) << 2 | u8::from(prefixes.evex_z) << 3 | mask << 5;
        if prefixes.evex_b && prefixes.evex_no_u && self.read_modrm(input)? >= 0xc0 {
            variant |= 1 << 4;
        }
        let anywhere = (map, opcode) == (4, 0xf8);
        let cell =
            self.look_up_with_other_prefixes(anywhere, input, |pp, w| self.opcodes.evex(map, opcode, pp, w, variant))?;
        if !anywhere || !prefixes.address_size || self.is_narrow() {
            return Ok(cell);
        }
        // After an address-size prefix only the instructions of this row exist, whatever the other bits are.
        if self.opcodes.reads_modrm(cell) {
            self.read_modrm(input)?;
        }
        let cell = self.opcodes.evex(map, opcode, self.pp_with_operand_size(), false, 0);
        if self.opcodes.reads_modrm(cell) && self.read_modrm(input)? >= 0xc0 {
            return Err(Stop);
        }
        Ok(cell)
    }

    /// Returns `pp`, or the number of the operand-size prefix if this prefix stands before the encoding. The prefix
    /// selects some instructions, too.
    fn pp_with_operand_size(&self) -> u8 {
        if self.prefixes.operand_size {
            PP_66
        } else {
            self.prefixes.pp
        }
    }

    /// Returns true if W is set in 32-bit mode. LLVM then looks for the instruction without W, and after that for
    /// the one with W.
    fn is_narrow(&self) -> bool {
        !self.prefixes.is_64_bit && self.prefixes.vector_w
    }

    /// Looks an opcode up by pp and W, and again where the prefixes leave LLVM in doubt. Reads the ModR/M byte if
    /// any of the answers needs it. The last answer counts if `anywhere` says that the place of the prefixes does
    /// not matter.
    fn look_up_with_other_prefixes(
        &mut self,
        anywhere: bool,
        input: &mut Input<'_>,
        look_up: impl Fn(u8, bool) -> Cell,
    ) -> Result<Cell, Stop> {
        let prefixes = self.prefixes;
        let cell = look_up(prefixes.pp, prefixes.vector_w);
        let (other, counts) = if self.is_narrow() {
            (look_up(prefixes.pp, false), false)
        } else {
            (look_up(self.pp_with_operand_size(), prefixes.vector_w), anywhere)
        };
        if other != cell && (self.opcodes.reads_modrm(cell) || self.opcodes.reads_modrm(other)) {
            self.read_modrm(input)?;
        }
        Ok(if counts { other } else { cell })
    }

    /// Reads the bytes that follow the opcode. Returns the kind of the instruction; `None` if LLVM refuses the
    /// operands.
    #[inline]
    fn operands(&mut self, cell: Cell, input: &mut Input<'_>) -> Result<Option<&'o Kind>, Stop> {
        let has_modrm = self.opcodes.reads_modrm(cell);
        let modrm = if has_modrm { self.read_modrm(input)? } else { 0 };
        let Some(kind) = self.opcodes.kind(cell, modrm) else {
            return Ok(None);
        };
        let refused = if kind.refused == 0 {
            0
        } else {
            kind.refused & self.prefixes.extensions(has_modrm && modrm >= 0xc0)
        };
        // LLVM refuses a register in vvvv that no operand takes, and a vector number that is too high, only after
        // it has read all bytes.
        let mut late = extension::X32;
        if kind.refused & extension::V1 != 0 {
            late |= extension::V1 | extension::V8 | extension::V16;
        }
        if refused & !late != 0 || (kind.sib && (modrm & 7 != 4 || self.prefixes.addresses_16_bit())) {
            return Ok(None);
        }
        let shrinks = kind.shrinks && self.prefixes.operand_size;
        input.skip(usize::from(kind.immediate) - if shrinks { 2 } else { 0 })?;
        Ok((refused == 0).then_some(kind))
    }
}
