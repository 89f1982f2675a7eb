//! What was met while reading records, and where reading had to stop.

use std::fmt;

use crate::record::{RecordHeader, record_type};

/// Counts over the records of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordStats {
    counts: [u64; record_type::USER_LAST as usize + 1],
    /// Records of a type that no perf up to 6.18 writes; they were skipped.
    pub unknown_records: u64,
    /// Records (other than samples) that are too short for what they should say; they were skipped.
    pub malformed_records: u64,
    /// Records that the kernel says it dropped because the ring buffer was full.
    pub lost_records: u64,
    /// Samples that the kernel says it dropped, without those that a BPF filter left out on purpose.
    pub lost_samples: u64,
    /// How often the buffer of a raw trace was full, and part of the trace was lost.
    pub traces_truncated: u64,
    /// How often the CPU began to follow an operation before it was done with the one before, and gave it up.
    pub trace_collisions: u64,
    /// Bytes of records walked over, trailing payloads included.
    pub bytes: u64,
    /// Why reading stopped early, if it did. All before that place has been read.
    pub damage: Option<Damage>,
}

impl Default for RecordStats {
    fn default() -> Self {
        Self {
            counts: [0; record_type::USER_LAST as usize + 1],
            unknown_records: 0,
            malformed_records: 0,
            lost_records: 0,
            lost_samples: 0,
            traces_truncated: 0,
            trace_collisions: 0,
            bytes: 0,
            damage: None,
        }
    }
}

impl RecordStats {
    /// How many records of this type there were (see [`record_type`]).
    #[must_use]
    pub fn count(&self, record_type: u32) -> u64 {
        self.counts.get(record_type as usize).copied().unwrap_or(0)
    }

    /// Samples, decodable or not.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.count(record_type::SAMPLE)
    }

    /// MMAP and MMAP2 records.
    #[must_use]
    pub fn mmaps(&self) -> u64 {
        self.count(record_type::MMAP) + self.count(record_type::MMAP2)
    }

    /// What the kernel dropped. LOST tells of it while it happens, and at the end perf (6.1 and later) writes as LOST_SAMPLES what the
    /// kernel counted for each event: the same losses once more.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost_records.max(self.lost_samples)
    }

    /// False if the input ends early.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.damage.is_none()
    }

    /// Adds the counts of another segment; the first damage stands.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
        self.unknown_records += other.unknown_records;
        self.malformed_records += other.malformed_records;
        self.lost_records = self.lost_records.saturating_add(other.lost_records);
        self.lost_samples = self.lost_samples.saturating_add(other.lost_samples);
        self.traces_truncated += other.traces_truncated;
        self.trace_collisions += other.trace_collisions;
        self.bytes += other.bytes;
        if self.damage.is_none() {
            self.damage = other.damage;
        }
    }

    #[inline]
    pub(crate) fn count_record(&mut self, header: RecordHeader) {
        if header.is_known_type() {
            self.counts[header.record_type as usize] += 1;
        } else {
            self.unknown_records += 1;
        }
    }
}

/// What became of the records of a raw trace of Arm SPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceStats {
    /// Whole records, cut ones, and bytes that are none.
    pub packets: spe::Stats,
    /// AUXTRACE records whose bytes these came from.
    pub pieces: u64,
    /// Records of branches that were executed: those that samples were made of.
    pub branches: u64,
    /// Of these, the branches that were not taken.
    pub not_taken: u64,
    /// Of these, the branches with the target of the one before.
    pub with_previous_target: u64,
    /// Records of loads, stores and all else.
    pub other_operations: u64,
    /// Records of branches on paths that were predicted wrongly.
    pub not_retired: u64,
    /// Records of branches that do not say where they are or where they went.
    pub incomplete: u64,
}

impl TraceStats {
    /// Adds the counts of another buffer.
    pub fn add(&mut self, other: Self) {
        self.packets.add(other.packets);
        self.pieces += other.pieces;
        self.branches += other.branches;
        self.not_taken += other.not_taken;
        self.with_previous_target += other.with_previous_target;
        self.other_operations += other.other_operations;
        self.not_retired += other.not_retired;
        self.incomplete += other.incomplete;
    }
}

/// Where and why reading stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Offset in the file or stream.
    pub offset: u64,
    /// What is wrong there.
    pub kind: DamageKind,
}

/// What makes the rest of an input unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// A record header gives a size less than that of a header.
    RecordTooSmall {
        /// That size.
        size: u16,
    },
    /// The input ends inside a record.
    RecordCutOff {
        /// The record's size.
        size: u64,
        /// Bytes there are.
        left: u64,
    },
    /// The input ends inside a record header.
    HeaderCutOff {
        /// Bytes there are.
        left: u64,
    },
    /// The input ends inside the trace data that follows a record.
    PayloadCutOff {
        /// Size of the trace data.
        size: u64,
        /// Bytes there are.
        left: u64,
    },
    /// The header was never completed: perf was killed while recording.
    NotFinished,
    /// A directory has no file of this number, but one of a higher number.
    ThreadFileMissing {
        /// The lowest number that is missing.
        number: u64,
    },
    /// The file is shorter than its header says.
    FileCutOff {
        /// Bytes that are missing.
        missing: u64,
    },
    /// Of the facts about the recording, which stand behind the records, some are missing.
    FeaturesCutOff,
    /// The compressed records do not decompress.
    BadCompression,
    /// A few compressed bytes stand for more maps and the like than a recording can have.
    InflatedTooFar,
    /// The decompressed records end inside a record.
    CompressedRecordCutOff,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset;
        match self.kind {
            DamageKind::RecordTooSmall { size } => {
                write!(f, "record at offset {offset:#x} has the impossible size {size}")
            }
            DamageKind::RecordCutOff { size, left } => {
                write!(
                    f,
                    "cut off at offset {offset:#x}: {left} of {size} bytes of a record are there"
                )
            }
            DamageKind::HeaderCutOff { left } => {
                write!(
                    f,
                    "cut off at offset {offset:#x}: {left} of 8 bytes of a record header are there"
                )
            }
            DamageKind::PayloadCutOff { size, left } => {
                write!(
                    f,
                    "cut off at offset {offset:#x}: {left} of {size} bytes of trace data are there"
                )
            }
            DamageKind::NotFinished => f.write_str("perf was killed while recording: the header says there is no data"),
            DamageKind::ThreadFileMissing { number } => {
                write!(f, "the directory's file data.{number} is missing")
            }
            DamageKind::FileCutOff { missing } => {
                write!(
                    f,
                    "cut off at offset {offset:#x}: {missing} bytes of records are missing"
                )
            }
            DamageKind::FeaturesCutOff => {
                write!(
                    f,
                    "cut off at offset {offset:#x}: the feature sections behind the records are missing"
                )
            }
            DamageKind::BadCompression => {
                write!(f, "compressed record at offset {offset:#x} does not decompress")
            }
            DamageKind::InflatedTooFar => {
                write!(
                    f,
                    "the compressed records before offset {offset:#x} hold more mappings and processes than a recording of this size can have"
                )
            }
            DamageKind::CompressedRecordCutOff => {
                write!(
                    f,
                    "the compressed records before offset {offset:#x} end inside a record"
                )
            }
        }
    }
}
