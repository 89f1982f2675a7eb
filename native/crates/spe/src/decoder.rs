//! Decodes the bytes of one buffer, piece by piece, into records.

use crate::packet::{MAX_PACKET_LENGTH, Packet, Parsed, parse};
use crate::record::Record;

/// Numbers of records, packets and bytes of a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Number of whole records.
    pub records: u64,
    /// Number of records without an end, because bytes after them are missing or are no packets.
    pub cut: u64,
    /// Number of bytes that are no packets, or that stand between such bytes and the end of their record.
    pub bad_bytes: u64,
    /// Number of packets of unknown types.
    pub unknown_packets: u64,
}

impl Stats {
    /// Adds the numbers of another trace.
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.cut += other.cut;
        self.bad_bytes += other.bad_bytes;
        self.unknown_packets += other.unknown_packets;
    }
}

/// Decodes the bytes of one buffer in their order. The bytes come in pieces. Packets and records may lie across the
/// borders of pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    record: Record,
    /// True if a packet of the current record was read.
    begun: bool,
    /// True if the current record has bytes that are no packet, so that the next record has to be found.
    lost: bool,
    /// The beginning of a packet whose end has not come yet.
    held: Vec<u8>,
    /// Number of bytes of padding that are still to come.
    skip: u64,
    stats: Stats,
}

impl Decoder {
    /// Makes a decoder at the start of a buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the numbers of the trace so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Returns the numbers of the trace since the last call of this function.
    pub fn take_stats(&mut self) -> Stats {
        std::mem::take(&mut self.stats)
    }

    /// Decodes `bytes`, which lie `offset` bytes after the start of the buffer and follow the bytes of the last
    /// call. Passes to `sink` each record that ends in `bytes`, and the offset of its end in the buffer.
    pub fn feed(&mut self, mut bytes: &[u8], mut offset: u64, mut sink: impl FnMut(&Record, u64)) {
        while !self.held.is_empty() && !bytes.is_empty() {
            let held_length = self.held.len();
            let mut packet = [0; MAX_PACKET_LENGTH];
            let wanted = match parse(&self.held, offset.wrapping_sub(held_length as u64)) {
                Parsed::Incomplete(wanted) => wanted,
                Parsed::Packet(..) | Parsed::Invalid => held_length,
            };
            let more = (wanted - held_length).min(bytes.len());
            packet[..held_length].copy_from_slice(&self.held);
            packet[held_length..held_length + more].copy_from_slice(&bytes[..more]);
            let start = offset.wrapping_sub(held_length as u64);
            (bytes, offset) = (&bytes[more..], offset.wrapping_add(more as u64));
            self.held.clear();
            // Every byte of the packet is used, kept or skipped.
            self.decode(&packet[..held_length + more], start, &mut sink);
        }
        self.decode(bytes, offset, &mut sink);
    }

    /// Notes that bytes are missing here, so the current record has no end.
    pub fn note_gap(&mut self) {
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
                    Parsed::Packet(packet, length) => {
                        // The padding may end after these bytes.
                        let available = length.min(bytes.len());
                        self.skip = (length - available) as u64;
                        self.add_packet(packet, length as u64, offset.wrapping_add(available as u64), sink);
                        available
                    }
                    Parsed::Incomplete(_) => {
                        self.held.extend_from_slice(bytes);
                        return;
                    }
                    Parsed::Invalid => {
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

    fn add_packet(&mut self, packet: Packet, length: u64, end: u64, sink: &mut impl FnMut(&Record, u64)) {
        let ends = self.record.add_packet(packet);
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
