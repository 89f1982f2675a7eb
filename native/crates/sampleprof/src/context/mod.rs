//! Calling contexts, which tell the functions of a context-sensitive profile apart, and the layouts without contexts.

mod flatten;
mod full_name;
mod nest;
mod table;
mod trim;

pub use full_name::FullName;
pub use nest::{NestError, call_site_hash};
pub use table::{ContextId, ContextTable, Frame};
pub use trim::ColdContexts;
