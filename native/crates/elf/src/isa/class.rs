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

/// Which AArch64 words count as instructions. On x86-64 both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecodePolicy {
    /// Those that llvm-profgen decodes: Armv8.0-A without extensions. Data in code decodes like code.
    LlvmProfgen,
    /// All aligned words outside the data that `$d` symbols mark. Branches of later extensions, such as
    /// `retaa`, have their class.
    Full,
}

/// What lies at one place of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Bytes from here to the next place, at least one.
    pub(crate) length: u8,
    /// The instruction's class, or `None` where there is none.
    pub(crate) class: Option<InstructionClass>,
}
