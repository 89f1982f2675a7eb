//! Finds the functions and blocks of a program as BOLT does, so that a profile can name them (LLVM:
//! bolt/lib/Rewrite/RewriteInstance.cpp, bolt/lib/Core/BinaryFunction.cpp, bolt/lib/Profile/DataAggregator.cpp).

mod blocks;
mod frames;
mod functions;
mod landing_pads;
mod program;
mod run;
mod stubs;

pub use functions::Function;
pub use program::{Place, Program};
pub use run::{Before, Run};
