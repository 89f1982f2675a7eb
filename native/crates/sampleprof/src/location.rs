use std::fmt;

/// A place inside a function: lines below its declaration, and what tells several pieces of code on that line apart.
///
/// In a profile based on pseudo probes `line_offset` is the probe's index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineLocation {
    /// Line relative to the line of the function's declaration, modulo 2^16.
    pub line_offset: u32,
    /// Base discriminator, or all 32 bits of it in a profile with flow-sensitive discriminators.
    pub discriminator: u32,
}

impl LineLocation {
    /// The location `line_offset.discriminator`.
    #[must_use]
    pub const fn new(line_offset: u32, discriminator: u32) -> Self {
        Self {
            line_offset,
            discriminator,
        }
    }
}

/// `LINE`, or `LINE.DISCRIMINATOR` when there is one, as text profiles write it.
impl fmt::Display for LineLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line_offset)?;
        if self.discriminator > 0 {
            write!(f, ".{}", self.discriminator)?;
        }
        Ok(())
    }
}
