//! How often the blocks and edges of a control-flow graph were executed, from samples that only tell where time was spent.
//!
//! Samples of a block say how often it was executed, with an error that is known: they are few, and they are independent of each other.
//! The rest follows from this: each execution of a block enters it once and leaves it once. Of all counts that fit together, the most likely ones are a
//! flow of minimum cost (the idea: He, Mestre, Pupyrev, Wang, Yu: "Profile Inference Revisited", POPL 2022; LLVM: SampleProfileInference).

mod infer;
mod likelihood;
mod network;

pub use infer::{Block, Edge, Gate, Graph, Inference, SCALE, infer};
pub use likelihood::Measure;
pub use network::{Arc, circulate};
