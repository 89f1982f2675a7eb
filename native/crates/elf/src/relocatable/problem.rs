//! Problems of relocatable files.

/// Why the copy of a relocatable file may be incomplete or inexact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutProblem {
    /// Some relocations of a section were not applied, so these bytes are as they are in the file.
    #[error("section {section}: {count} relocations could not be applied: {reason}")]
    NotRelocated {
        /// Name of the section.
        section: String,
        /// Number of relocations that could not be applied.
        count: u64,
        /// Why the first of these relocations could not be applied.
        reason: String,
    },
    /// The kernel enlarges a section that lies before another one by a size that is not in the file, so the offset
    /// of the other section is uncertain.
    #[error("section {section}: where it is in memory is uncertain, as the kernel enlarges {enlarged} before it")]
    UncertainOffset {
        /// Name of the section with the uncertain offset.
        section: String,
        /// Name of the enlarged section before it.
        enlarged: &'static str,
    },
}
