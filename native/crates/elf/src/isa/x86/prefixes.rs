//! Reads the prefixes of an instruction, with the prefixes that begin encodings of their own: REX2, VEX, XOP and
//! EVEX.

use super::opcodes::extension;

/// Longest instruction that is decoded, in bytes. LLVM has no limit for the number of prefixes; a processor accepts
/// 15 bytes.
const MAX_LENGTH: usize = 255;

/// LLVM stops to read at this position.
pub(super) struct Stop;

/// The bytes of an instruction, and the number of bytes that have been read.
pub(super) struct Input<'b> {
    bytes: &'b [u8],
    pub(super) position: usize,
}

impl<'b> Input<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes: &bytes[..bytes.len().min(MAX_LENGTH)],
            position: 0,
        }
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        let byte = self.peek().ok_or(Stop)?;
        self.position += 1;
        Ok(byte)
    }

    /// Skips `count` bytes. Skips nothing and fails if there are fewer.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) -> Result<(), Stop> {
        if self.bytes.len() - self.position < count {
            return Err(Stop);
        }
        self.position += count;
        Ok(())
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }
}

/// The encoding of the opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The opcode has none of the other encodings; it may have REX or REX2.
    Legacy,
    Vex,
    Xop,
    Evex,
}

/// The values that the prefixes state.
#[derive(Debug)]
pub(super) struct Prefixes {
    pub(super) is_64_bit: bool,
    pub(super) form: Form,
    /// True if a prefix 66 has an effect.
    pub(super) operand_size: bool,
    /// True if there is a prefix 67.
    pub(super) address_size: bool,
    /// The last prefix F2 or F3; zero if there is none.
    pub(super) repeat: u8,
    /// The prefix 66, F2 or F3 that is part of the opcode, in maps that have such opcodes; zero if there is none.
    pub(super) mandatory: u8,
    pub(super) has_rex2: bool,
    /// Number of the opcode map that VEX, XOP or EVEX states.
    pub(super) map: u8,
    pub(super) pp: u8,
    pub(super) vector_w: bool,
    /// L of VEX and XOP, or L'L of EVEX.
    pub(super) l: u8,
    pub(super) evex_aaa: u8,
    pub(super) evex_b: bool,
    pub(super) evex_z: bool,
    /// True if EVEX.U is 0.
    pub(super) evex_no_u: bool,
    /// The bits 0100WRXB, as in REX, from whichever prefix states them; zero outside of 64-bit mode.
    rex: u8,
    /// The byte after the D5 of REX2, or the same bits of EVEX: M R4 X4 B4 W R X B.
    rex2: u8,
    vvvv: u8,
}

impl Prefixes {
    /// Reads all bytes that come before the opcode.
    #[inline]
    pub(super) fn read(is_64_bit: bool, input: &mut Input<'_>) -> Result<Self, Stop> {
        let mut prefixes = Self {
            is_64_bit,
            form: Form::Legacy,
            operand_size: false,
            address_size: false,
            repeat: 0,
            mandatory: 0,
            has_rex2: false,
            map: 0,
            pp: 0,
            vector_w: false,
            l: 0,
            evex_aaa: 0,
            evex_b: false,
            evex_z: false,
            evex_no_u: false,
            rex: 0,
            rex2: 0,
            vvvv: 0,
        };
        loop {
            let Some(byte) = input.peek() else { return Err(Stop) };
            match byte {
                0x40..=0x4f if is_64_bit => {
                    input.position += 1;
                    prefixes.rex = byte;
                }
                0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3 => {
                    input.position += 1;
                    if prefixes.is_opcode(byte, input) {
                        input.position -= 1;
                        break;
                    }
                    prefixes.rex = 0;
                }
                0x62 | 0x8f | 0xc4 | 0xc5 | 0xd5 => {
                    prefixes.read_extended(byte, input)?;
                    break;
                }
                _ => break,
            }
        }
        // REX.W sets the operand size, so a prefix 66 has no effect.
        prefixes.operand_size &= prefixes.rex & 0x08 == 0;
        Ok(prefixes)
    }

    /// Returns true if LLVM takes the prefix that was just read for an opcode; otherwise notes the prefix. LLVM
    /// takes for opcodes `lock` at the start, and the last `repne` or `rep` before an instruction for which it
    /// takes the prefix as a hint of lock elision: `lock`, `xchg` and, for `rep` only, `mov` to memory. `rep nop`
    /// is `pause`.
    #[inline]
    fn is_opcode(&mut self, byte: u8, input: &Input<'_>) -> bool {
        let next = input.peek();
        let opens_map = |next: u8| next == 0x0f || (self.is_64_bit && next & 0xf0 == 0x40);
        match byte {
            0xf0 => return input.position == 1,
            0xf2 | 0xf3 => {
                let Some(next) = next else {
                    self.repeat = byte;
                    return false;
                };
                let opcode = match byte {
                    0xf2 => matches!(next, 0xf0 | 0x86 | 0x87 | 0x90..=0x97),
                    _ => matches!(next, 0xf0 | 0x86..=0x89 | 0x91..=0x97 | 0xc6 | 0xc7),
                };
                if opcode {
                    return true;
                }
                if opens_map(next) || next == 0x66 || (self.is_64_bit && next == 0xd5) {
                    self.mandatory = byte;
                }
                self.repeat = byte;
            }
            0x66 => {
                self.operand_size = true;
                if self.mandatory == 0 && next.is_some_and(opens_map) {
                    self.mandatory = byte;
                }
            }
            0x67 => self.address_size = true,
            _ => {}
        }
        false
    }

    /// Reads the encoding that begins with `byte`. Reads nothing if `byte` is an opcode here.
    fn read_extended(&mut self, byte: u8, input: &mut Input<'_>) -> Result<(), Stop> {
        input.position += 1;
        let next = input.peek().ok_or(Stop)?;
        let is_extended = match byte {
            0x8f => next & 0x38 != 0,
            0xd5 => self.is_64_bit,
            _ => self.is_64_bit || next >= 0xc0,
        };
        if !is_extended {
            input.position -= 1;
            return Ok(());
        }
        let first = input.byte()?;
        match byte {
            0xd5 => {
                self.has_rex2 = true;
                self.rex2 = first;
                self.rex = 0x40 | (first & 0x0f);
            }
            0xc5 => {
                self.form = Form::Vex;
                self.map = 1;
                self.set_vector(first & 0x7f, !first >> 5 & 0b100);
                self.operand_size |= self.pp == 1;
            }
            0xc4 | 0x8f => {
                let second = input.byte()?;
                self.form = if byte == 0xc4 { Form::Vex } else { Form::Xop };
                self.map = first & 0x1f;
                self.set_vector(second, !first >> 5);
                self.operand_size |= byte == 0x8f && self.pp == 1;
            }
            _ => {
                if input.peek().is_none() {
                    return Err(Stop);
                }
                let (second, third) = (input.byte()?, input.byte()?);
                self.form = Form::Evex;
                self.map = first & 7;
                self.set_vector(second, !first >> 5);
                self.vvvv |= (!third & 0x08) << 1;
                self.l = third >> 5 & 3;
                self.evex_aaa = third & 7;
                self.evex_b = third & 0x10 != 0;
                self.evex_z = third & 0x80 != 0;
                self.evex_no_u = second & 0x04 == 0;
                self.rex2 = (!first & 0x10) << 2 | (first & 0x08) << 1;
            }
        }
        if !self.is_64_bit {
            self.rex = 0;
            self.rex2 = 0;
            self.vvvv &= 0x0f;
        }
        Ok(())
    }

    /// Takes W vvvv L pp of VEX from `payload`, and R X B from `rxb`, where they are placed as in REX.
    fn set_vector(&mut self, payload: u8, rxb: u8) {
        self.vector_w = payload & 0x80 != 0;
        self.vvvv = !payload >> 3 & 0x0f;
        self.l = payload >> 2 & 1;
        self.pp = payload & 3;
        self.rex = 0x40 | u8::from(self.vector_w) << 3 | (rxb & 7);
    }

    /// Returns W of REX or of its counterpart in other prefixes.
    #[inline]
    pub(super) fn w(&self) -> bool {
        self.rex & 0x08 != 0
    }

    /// Returns B4 of REX2 and EVEX.
    #[inline]
    pub(super) fn b4(&self) -> bool {
        self.rex2 & 0x10 != 0
    }

    /// Returns true if REX2 says that the opcode is of map 1.
    #[inline]
    pub(super) fn rex2_map_1(&self) -> bool {
        self.has_rex2 && self.rex2 & 0x80 != 0
    }

    /// Returns true if memory operands are encoded as on a 16-bit processor.
    #[inline]
    pub(super) fn addresses_16_bit(&self) -> bool {
        !self.is_64_bit && self.address_size
    }

    /// Returns the extensions in use, as bits of [`extension`]. Extensions of the r/m field count only if the field
    /// names a register.
    pub(super) fn extensions(&self, rm_is_register: bool) -> u16 {
        let mut found = 0;
        let mut add = |is_set: bool, extension: u16| found |= if is_set { extension } else { 0 };
        add(self.rex & 0x04 != 0, extension::R8);
        add(self.rex2 & 0x40 != 0, extension::R16);
        if rm_is_register {
            add(self.rex & 0x01 != 0, extension::B8);
            add(self.b4(), extension::B16);
            add(self.form == Form::Evex && self.rex & 0x02 != 0, extension::X16);
        } else {
            add(self.evex_no_u && self.vvvv & 0x10 != 0, extension::X32);
        }
        add(self.vvvv & 0x07 != 0, extension::V1);
        add(self.vvvv & 0x08 != 0, extension::V8);
        add(self.vvvv & 0x10 != 0, extension::V16);
        found
    }
}
