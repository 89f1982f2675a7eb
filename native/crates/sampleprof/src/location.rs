use std::fmt;

/// A location inside a function: the line below the declaration, and the discriminator, which tells apart several
/// pieces of code on one line.
///
/// In a profile based on pseudo probes, `line_offset` is the index of the probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineLocation {
    /// Line relative to the line of the function's declaration, modulo 2^16.
    pub line_offset: u32,
    /// Base discriminator, or the whole 32-bit discriminator in a profile with flow-sensitive discriminators.
    pub discriminator: u32,
}

impl LineLocation {
    /// Makes the location `line_offset.discriminator`.
    #[must_use]
    pub const fn new(line_offset: u32, discriminator: u32) -> Self {
        Self {
            line_offset,
            discriminator,
        }
    }
}

/// Prints `LINE`, or `LINE.DISCRIMINATOR` if the discriminator is not 0, as text profiles do.
impl fmt::Display for LineLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line_offset)?;
        if self.discriminator > 0 {
            write!(f, ".{}", self.discriminator)?;
        }
        Ok(())
    }
}
