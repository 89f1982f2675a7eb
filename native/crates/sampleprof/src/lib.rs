//! LLVM sample profiles: the data model, summary, text, binary and extbinary forms, merging.
