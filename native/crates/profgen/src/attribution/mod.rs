//! Attributes ranges and branches to functions, lines, probes and inline contexts.

pub(crate) mod attribute;
pub(crate) mod attribute_context_probes;
pub(crate) mod attribute_contexts;
pub(crate) mod attribute_probes;
pub(crate) mod call_contexts;
pub(crate) mod call_tree;
pub(crate) mod code_sizes;
pub(crate) mod context_profile;
pub(crate) mod context_report;
pub(crate) mod contexts;
pub(crate) mod damage;
pub(crate) mod discriminator;
pub(crate) mod disjoint;
pub(crate) mod entry_points;
pub(crate) mod frame_pointers;
pub(crate) mod line_contexts;
pub(crate) mod missing_frames;
pub(crate) mod probes;
pub(crate) mod profile;
pub(crate) mod recursion;
