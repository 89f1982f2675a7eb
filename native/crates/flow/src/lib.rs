//! Infers the number of executions of the blocks and edges of a control-flow graph, from samples that only tell
//! where time was spent.
//!
//! The number of samples of a block says how often the block was executed, with a known error: samples are few, and
//! they are independent of each other. Further constraints come from the graph: each execution of a block enters
//! the block once and leaves it once. Of all counts that satisfy these constraints, the most likely ones are a flow
//! of minimum cost (the idea: He, Mestre, Pupyrev, Wang, Yu: "Profile Inference Revisited", POPL 2022; LLVM:
//! SampleProfileInference).

mod infer;
mod likelihood;
mod network;

pub use infer::{Block, Edge, Gate, Graph, Inference, SCALE, infer};
pub use likelihood::Measure;
pub use network::{Arc, circulate};
