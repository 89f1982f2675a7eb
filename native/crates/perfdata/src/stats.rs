//! Counts of records, and the reason why reading stopped.

use std::fmt;

use crate::record::{RecordHeader, record_type};

/// Counts over the records of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordStats {
    counts: [u64; record_type::USER_LAST as usize + 1],
    /// Number of skipped records of a type that no perf up to 6.18 writes.
    pub unknown_records: u64,
    /// Number of skipped records, other than samples, that are too short for their fields.
    pub malformed_records: u64,
    /// Number of records that the kernel dropped because the ring buffer was full.
    pub lost_records: u64,
    /// Number of samples that the kernel dropped, without the samples that a BPF filter left out on purpose.
    pub lost_samples: u64,
    /// Number of times that the buffer of a raw trace was full, so that part of the trace was lost.
    pub traces_truncated: u64,
    /// Number of times that the CPU chose an operation for sampling before the one before was finished, and gave it
    /// up.
    pub trace_collisions: u64,
    /// Number of bytes of records that were read, trailing payloads included.
    pub bytes: u64,
    /// The reason why reading stopped early, if it did. Everything before that place has been read.
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
    /// Returns the number of records of this type (see [`record_type`]).
    #[must_use]
    pub fn count(&self, record_type: u32) -> u64 {
        self.counts.get(record_type as usize).copied().unwrap_or(0)
    }

    /// Returns the number of samples, decodable or not.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.count(record_type::SAMPLE)
    }

    /// Returns the number of MMAP and MMAP2 records.
    #[must_use]
    pub fn mmaps(&self) -> u64 {
        self.count(record_type::MMAP) + self.count(record_type::MMAP2)
    }

    /// Returns the number of records that the kernel dropped. LOST records count losses while they happen. At the end,
    /// perf (6.1 and later) writes the kernel's counts for each event as LOST_SAMPLES, which count the same losses
    /// once more.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost_records.max(self.lost_samples)
    }

    /// Returns false if the input ends early.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.damage.is_none()
    }

    /// Adds the counts of another segment. The first damage stays.
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
        self.count_records(header, 1);
    }

    /// Counts `count` records with this header.
    #[inline]
    pub(crate) fn count_records(&mut self, header: RecordHeader, count: u64) {
        if header.is_known_type() {
            self.counts[header.record_type as usize] += count;
        } else {
            self.unknown_records += count;
        }
    }
}

/// Counts of the records of a raw trace of Arm SPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceStats {
    /// Numbers of whole records, of cut records, and of bytes that belong to no record.
    pub packets: spe::Stats,
    /// Number of AUXTRACE records whose bytes hold the trace.
    pub pieces: u64,
    /// Number of records of branches that were executed. Each of them gives a sample.
    pub branches: u64,
    /// Number of `branches` that were not taken.
    pub not_taken: u64,
    /// Number of `branches` with the target of the branch before.
    pub with_previous_target: u64,
    /// Number of records of loads, stores and other operations.
    pub other_operations: u64,
    /// Number of records of branches on paths that were predicted wrongly.
    pub not_retired: u64,
    /// Number of records of branches without an address or without a target.
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

/// The place where reading stopped early, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Offset in the file or stream, in bytes.
    pub offset: u64,
    /// The fault at this offset.
    pub kind: DamageKind,
}

/// A fault that makes the rest of an input unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// A record header states a size that is smaller than a header.
    RecordTooSmall {
        /// The stated size, in bytes.
        size: u16,
    },
    /// The input ends inside a record.
    RecordCutOff {
        /// Size of the record, in bytes.
        size: u64,
        /// Number of bytes that are left.
        left: u64,
    },
    /// The input ends inside a record header.
    HeaderCutOff {
        /// Number of bytes that are left.
        left: u64,
    },
    /// The input ends inside the trace data that follows a record.
    PayloadCutOff {
        /// Size of the trace data, in bytes.
        size: u64,
        /// Number of bytes that are left.
        left: u64,
    },
    /// The header was never completed, because perf was killed while recording.
    NotFinished,
    /// A directory lacks the file of this number, but has a file of a higher number.
    ThreadFileMissing {
        /// The lowest number without a file.
        number: u64,
    },
    /// The file is shorter than its header says.
    FileCutOff {
        /// Number of missing bytes.
        missing: u64,
    },
    /// Some of the feature sections, which stand after the records, are missing.
    FeaturesCutOff,
    /// The compressed records cannot be decompressed.
    BadCompression,
    /// A few compressed bytes stand for more maps and similar records than a recording can have.
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
                    "cut off at offset {offset:#x}: the feature sections after the records are missing"
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
