//! Traces of Arm's Statistical Profiling Extension (SPE): bytes to packets, and packets to records of sampled operations.
//!
//! The CPU picks an operation now and then, follows it through its pipeline, and writes what it saw as a record: a sequence of packets
//! that ends with a timestamp packet or an end packet (Arm Architecture Reference Manual for A-profile, DDI 0487, "Statistical Profiling
//! Extension Sample Record Specification"). Packets are little-endian on every machine.

mod decoder;
mod packet;
mod record;

pub use decoder::{Decoder, Stats};
pub use packet::{Address, Packet, Step, parse};
pub use record::Record;
