//! From the bytes of one buffer, piece by piece, to records.

use crate::packet::{LONGEST, Packet, Step, parse};
use crate::record::Record;

/// What was met in a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Whole records.
    pub records: u64,
    /// Records that have no end, because bytes behind them are missing or are no packets.
    pub cut: u64,
    /// Bytes that are no packets, or that stand between such bytes and the end of the record they are in.
    pub bad_bytes: u64,
    /// Packets of types that are not known here.
    pub unknown_packets: u64,
}

impl Stats {
    /// Adds what was met elsewhere.
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.cut += other.cut;
        self.bad_bytes += other.bad_bytes;
        self.unknown_packets += other.unknown_packets;
    }
}

/// Decodes the bytes of one buffer in their order. Packets and records may lie across the pieces that the bytes come in.
#[derive(Debug, Default)]
pub struct Decoder {
    record: Record,
    /// A packet of the record was met.
    begun: bool,
    /// Something in this record was no packet, so that the next one has to be found.
    lost: bool,
    /// The beginning of a packet whose end has not come yet.
    held: Vec<u8>,
    /// Bytes of padding that are still to come.
    skip: u64,
    stats: Stats,
}

impl Decoder {
    /// A decoder that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was met until now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Decodes `bytes`, which lie `offset` bytes behind the start of the buffer, and directly behind those before. Gives each record that ends
    /// in them, and where in the buffer it ends.
    pub fn feed(&mut self, mut bytes: &[u8], mut offset: u64, mut sink: impl FnMut(&Record, u64)) {
        while !self.held.is_empty() && !bytes.is_empty() {
            let known = self.held.len();
            let mut packet = [0; LONGEST];
            let wanted = match parse(&self.held, offset.wrapping_sub(known as u64)) {
                Step::Short(wanted) => wanted,
                Step::Packet(..) | Step::Bad => known,
            };
            let more = (wanted - known).min(bytes.len());
            packet[..known].copy_from_slice(&self.held);
            packet[known..known + more].copy_from_slice(&bytes[..more]);
            let start = offset.wrapping_sub(known as u64);
            (bytes, offset) = (&bytes[more..], offset.wrapping_add(more as u64));
            self.held.clear();
            // All of it is taken, held or passed over.
            self.decode(&packet[..known + more], start, &mut sink);
        }
        self.decode(bytes, offset, &mut sink);
    }

    /// Bytes are missing here: what has begun has no end.
    pub fn cut(&mut self) {
        let is_cut = (self.begun || !self.held.is_empty()) && !self.lost;
        self.stats.cut += u64::from(is_cut);
        self.held.clear();
        self.skip = 0;
        self.restart();
    }

    fn restart(&mut self) {
        self.record = Record::default();
        self.begun = false;
        self.lost = false;
    }

    fn decode(&mut self, mut bytes: &[u8], mut offset: u64, sink: &mut impl FnMut(&Record, u64)) {
        while !bytes.is_empty() {
            let length = if self.skip > 0 {
                let length = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                self.skip -= length as u64;
                length
            } else {
                match parse(bytes, offset) {
                    Step::Packet(packet, length) => {
                        // Padding may end behind these bytes.
                        let there = length.min(bytes.len());
                        self.skip = (length - there) as u64;
                        self.take(packet, length as u64, offset.wrapping_add(there as u64), sink);
                        there
                    }
                    Step::Short(_) => {
                        self.held.extend_from_slice(bytes);
                        return;
                    }
                    Step::Bad => {
                        self.stats.cut += u64::from(!self.lost);
                        self.stats.bad_bytes += 1;
                        self.lost = true;
                        1
                    }
                }
            };
            bytes = &bytes[length..];
            offset = offset.wrapping_add(length as u64);
        }
    }

    fn take(&mut self, packet: Packet, length: u64, end: u64, sink: &mut impl FnMut(&Record, u64)) {
        let ends = self.record.take(packet);
        if self.lost {
            self.stats.bad_bytes += length;
        } else {
            self.stats.unknown_packets += u64::from(packet == Packet::Unknown);
            self.begun |= packet != Packet::Padding;
        }
        if ends {
            if !self.lost {
                self.stats.records += 1;
                sink(&self.record, end);
            }
            self.restart();
        }
    }
}
