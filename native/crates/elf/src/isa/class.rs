//! Classes of instructions, and the policy by which code is decoded.

/// The effect of an instruction on the flow of control, in the classes that llvm-profgen distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum InstructionClass {
    /// The instruction goes on with the next one, or traps.
    Other,
    /// The instruction is a direct or indirect call.
    Call,
    /// The instruction returns from a function or an interrupt.
    Return,
    /// The instruction is a direct unconditional jump.
    Jump,
    /// The instruction is a conditional branch or an indirect jump.
    Branch,
}

impl InstructionClass {
    /// Returns true if a straight-line range ends at an instruction of this class at the latest. Indirect jumps are
    /// no barriers: llvm-profgen looks for LLVM's call, return and unconditional-branch flags, and an indirect jump
    /// has none of these flags.
    #[must_use]
    pub fn is_barrier(self) -> bool {
        matches!(self, Self::Call | Self::Return | Self::Jump)
    }

    /// Returns true if an instruction of this class can be the source of a branch entry.
    #[must_use]
    pub fn is_transfer(self) -> bool {
        self != Self::Other
    }
}

/// The points in which code is decoded differently from llvm-profgen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecodePolicy {
    /// True if `Code` knows the instructions that a kernel rewrites, and the preambles that a kernel puts before
    /// functions. Such an instruction is no barrier if execution may go straight on.
    pub patched_text: bool,
    /// True if all aligned AArch64 words outside of the data that `$d` symbols mark are instructions, and branches
    /// of later extensions, such as `retaa`, have their class. If false, only instructions of Armv8.0-A count, and
    /// data in code is decoded like code.
    pub aarch64_extensions: bool,
    /// True if a call of an entry of a jump table counts as a call of the function that the entry jumps to.
    pub jump_tables: bool,
    /// True if `jmpabs` counts as a jump.
    pub jmpabs: bool,
}

impl DecodePolicy {
    /// The policy that decodes as llvm-profgen does.
    pub const LLVM_PROFGEN: Self = Self {
        patched_text: false,
        aarch64_extensions: false,
        jump_tables: false,
        jmpabs: false,
    };
    /// The policy with all that this crate knows.
    pub const FULL: Self = Self {
        patched_text: true,
        aarch64_extensions: true,
        jump_tables: true,
        jmpabs: true,
    };
}

/// The bytes at one position of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Number of bytes from this position to the next one, at least one.
    pub(crate) length: u8,
    /// Class of the instruction; `None` if the bytes are no instruction.
    pub(crate) class: Option<InstructionClass>,
}
