//! What may be wrong with a relocatable file.

/// Something in a relocatable file that keeps its copy from being all that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutProblem {
    /// Parts of a section count as they are in the file.
    #[error("section {section}: {count} relocations could not be applied: {reason}")]
    NotRelocated {
        /// The section's name.
        section: String,
        /// How many relocations could not be applied.
        count: u64,
        /// Why the first of them could not.
        reason: String,
    },
    /// The kernel enlarges a section before another one by a size that is not in the file.
    #[error("section {section}: where it is in memory is uncertain, as the kernel enlarges {enlarged} before it")]
    UncertainOffset {
        /// The section's name.
        section: String,
        /// The name of the section before it.
        enlarged: &'static str,
    },
}
