//! What is told of an instruction.

/// What an instruction does to the flow of control, in the classes that llvm-profgen tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum InstructionClass {
    /// Goes on with the next instruction, or traps.
    Other,
    /// Call, direct or indirect.
    Call,
    /// Return from a function or an interrupt.
    Return,
    /// Direct unconditional jump.
    Jump,
    /// Conditional branch or indirect jump.
    Branch,
}

impl InstructionClass {
    /// Whether a straight run ends here at the latest. Indirect jumps are not among them: llvm-profgen
    /// looks for LLVM's call, return and unconditional-branch flags, and an indirect jump has none.
    #[must_use]
    pub fn is_barrier(self) -> bool {
        matches!(self, Self::Call | Self::Return | Self::Jump)
    }

    /// Whether a branch record can start here.
    #[must_use]
    pub fn is_transfer(self) -> bool {
        self != Self::Other
    }
}

/// In what code is read otherwise than llvm-profgen reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecodePolicy {
    /// What a kernel rewrites is known, and what it puts before a function: it is no barrier where execution may go straight on.
    pub patched_text: bool,
    /// All aligned AArch64 words outside the data that `$d` symbols mark are instructions, and branches of later extensions, such as
    /// `retaa`, have their class. If not, those of Armv8.0-A are, and data in code decodes like code.
    pub aarch64_extensions: bool,
    /// A call of an entry of a jump table is a call of the function behind it.
    pub jump_tables: bool,
    /// `jmpabs` is a jump.
    pub jmpabs: bool,
}

impl DecodePolicy {
    /// As llvm-profgen.
    pub const LLVM_PROFGEN: Self = Self {
        patched_text: false,
        aarch64_extensions: false,
        jump_tables: false,
        jmpabs: false,
    };
    /// All that is known.
    pub const FULL: Self = Self {
        patched_text: true,
        aarch64_extensions: true,
        jump_tables: true,
        jmpabs: true,
    };
}

/// What lies at one place of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Bytes from here to the next place, at least one.
    pub(crate) length: u8,
    /// The instruction's class, or `None` where there is none.
    pub(crate) class: Option<InstructionClass>,
}
