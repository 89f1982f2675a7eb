//! The instruction set and the type of an image.

/// The instruction set of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// AMD64, also called Intel 64. Programs for the x32 ABI have this instruction set, too.
    X86_64,
    /// 32-bit x86: the instruction set of programs for i386 to i686.
    X86,
    /// 64-bit Arm with little-endian data.
    AArch64,
}

/// The type of ELF file that an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageKind {
    /// A program linked to a fixed address (`ET_EXEC`).
    Executable,
    /// A position-independent executable or a shared object (`ET_DYN`).
    SharedObject,
    /// A Linux kernel (vmlinux).
    Kernel,
    /// A kernel module (`ET_REL`).
    Module,
}
