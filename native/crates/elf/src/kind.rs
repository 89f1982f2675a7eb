//! What sort of file an image is.

/// The instruction set of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// AMD64, also called Intel 64. Programs for the x32 ABI are of it, too.
    X86_64,
    /// 32-bit x86, as in programs for i386 to i686.
    X86,
    /// 64-bit Arm with little-endian data.
    AArch64,
}

/// What sort of ELF file an image is.
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
