//! Prints x86-64 instructions and whole binaries as text, in LLVM's spelling.
//!
//! iced-x86 decodes and formats the instructions. Where LLVM's printers (LLVM: `X86ATTInstPrinter`,
//! `X86IntelInstPrinter`) differ, this crate corrects the text by rules for kinds of instructions: numbers in
//! `numbers`, names in `mnemonic`, operands in `operands`.

mod kinds;
mod listing;
mod mnemonic;
mod numbers;
mod operands;
mod printer;
mod syntax;

pub use listing::{ListedProbes, Listing, ListingOptions};
pub use printer::Printer;
pub use syntax::Syntax;
