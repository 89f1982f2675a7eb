//! From ranges and branches to functions, lines, probes and inline contexts.

pub(crate) mod attribute;
pub(crate) mod attribute_probes;
pub(crate) mod contexts;
pub(crate) mod discriminator;
pub(crate) mod disjoint;
pub(crate) mod entry_points;
pub(crate) mod probes;
pub(crate) mod profile;
