//! Decodes traces of Arm's Statistical Profiling Extension (SPE): bytes to packets, and packets to records of
//! sampled operations.
//!
//! From time to time the CPU picks an operation, follows it through its pipeline, and writes a record of it. A
//! record is a sequence of packets that ends with a timestamp packet or an end packet (Arm Architecture Reference
//! Manual for A-profile, DDI 0487, "Statistical Profiling Extension Sample Record Specification"). Packets are
//! little-endian on every machine.

mod decoder;
mod packet;
mod record;

pub use decoder::{Decoder, Stats};
pub use packet::{Address, Packet, Parsed, parse};
pub use record::Record;
