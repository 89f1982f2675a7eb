//! Events of a recording.

use super::encode::Encoder;

/// Bits of `sample_type`.
pub(super) mod field {
    pub(crate) const IP: u64 = 1 << 0;
    pub(crate) const TID: u64 = 1 << 1;
    pub(crate) const TIME: u64 = 1 << 2;
    pub(crate) const ADDR: u64 = 1 << 3;
    pub(crate) const READ: u64 = 1 << 4;
    pub(crate) const CALLCHAIN: u64 = 1 << 5;
    pub(crate) const ID: u64 = 1 << 6;
    pub(crate) const CPU: u64 = 1 << 7;
    pub(crate) const PERIOD: u64 = 1 << 8;
    pub(crate) const STREAM_ID: u64 = 1 << 9;
    pub(crate) const RAW: u64 = 1 << 10;
    pub(crate) const BRANCH_STACK: u64 = 1 << 11;
    pub(crate) const IDENTIFIER: u64 = 1 << 16;
}

const MMAP: u64 = 1 << 8;
const COMM: u64 = 1 << 9;
const TASK: u64 = 1 << 13;
const SAMPLE_ID_ALL: u64 = 1 << 18;
const MMAP2: u64 = 1 << 23;
const COMM_EXEC: u64 = 1 << 24;

/// An event to record: a perf_event_attr, a name and ids.
#[derive(Debug, Clone)]
pub struct EventSpec {
    /// Name of the event, for EVENT_DESC.
    pub name: String,
    /// Type of the event, PERF_TYPE_*.
    pub event_type: u32,
    /// Configuration: the event within its type.
    pub config: u64,
    /// Sample period.
    pub period: u64,
    /// Bits of the fields that samples have.
    pub sample_type: u64,
    /// Bits of the layout of counter values.
    pub read_format: u64,
    /// Flag bits, in little-endian numbering.
    pub flags: u64,
    /// Bits of the branches that are recorded.
    pub branch_sample_type: u64,
    /// Size of the attr in bytes: 64, 72, 80, 96, 104, 112, 120, 128, 136 or any other.
    pub attr_size: u32,
    /// Ids of the counters of the event.
    pub ids: Vec<u64>,
}

impl EventSpec {
    /// Makes an event of cycles with branch stacks of user code, as `perf record -b -e cycles:u` does.
    #[must_use]
    pub fn branch_stacks(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            event_type: 0,
            config: 0,
            period: 1009,
            sample_type: field::IDENTIFIER
                | field::IP
                | field::TID
                | field::TIME
                | field::CPU
                | field::PERIOD
                | field::BRANCH_STACK,
            read_format: 1 << 2,
            flags: MMAP | COMM | TASK | SAMPLE_ID_ALL | MMAP2 | COMM_EXEC,
            branch_sample_type: 1 | 1 << 3,
            attr_size: 136,
            ids: Vec::new(),
        }
    }

    /// Makes an event without branch stacks.
    #[must_use]
    pub fn plain(name: &str) -> Self {
        let event = Self::branch_stacks(name);
        Self {
            sample_type: event.sample_type & !field::BRANCH_STACK,
            branch_sample_type: 0,
            ..event
        }
    }

    /// Sets the fields that samples have.
    #[must_use]
    pub fn sample_type(mut self, sample_type: u64) -> Self {
        self.sample_type = sample_type;
        self
    }

    /// Removes the trailer of records other than samples, as before Linux 2.6.38.
    #[must_use]
    pub fn without_sample_id_all(mut self) -> Self {
        self.flags &= !SAMPLE_ID_ALL;
        self
    }

    /// Returns true if records other than samples have a trailer.
    pub(super) fn has_trailer(&self) -> bool {
        self.flags & SAMPLE_ID_ALL != 0
    }

    pub(super) fn has(&self, field: u64) -> bool {
        self.sample_type & field != 0
    }

    /// Encodes the attr.
    pub(super) fn encode(&self, encoder: &Encoder) -> Vec<u8> {
        let mut attr = encoder.halves(&[self.event_type, self.attr_size]);
        let flags = encoder.bits(self.flags);
        attr.extend(encoder.words(&[self.config, self.period, self.sample_type, self.read_format, flags]));
        // These words are wakeup_events and bp_type, config1, config2.
        attr.extend(encoder.words(&[0, 0, 0]));
        attr.extend(encoder.words(&[self.branch_sample_type]));
        attr.resize(self.attr_size as usize, 0);
        attr
    }

    /// Encodes the trailer that perf puts after records other than samples.
    pub(super) fn trailer(&self, encoder: &Encoder, pid: i32, time: u64) -> Vec<u8> {
        let mut trailer = Vec::new();
        if !self.has_trailer() {
            return trailer;
        }
        let id = self.ids.first().copied().unwrap_or(0);
        if self.has(field::TID) {
            trailer.extend(encoder.halves(&[pid as u32, pid as u32]));
        }
        if self.has(field::TIME) {
            trailer.extend(encoder.u64(time));
        }
        if self.has(field::ID) {
            trailer.extend(encoder.u64(id));
        }
        if self.has(field::STREAM_ID) {
            trailer.extend(encoder.u64(id));
        }
        if self.has(field::CPU) {
            trailer.extend(encoder.halves(&[0, 0]));
        }
        if self.has(field::IDENTIFIER) {
            trailer.extend(encoder.u64(id));
        }
        trailer
    }
}

/// Encodes the EVENT_DESC section.
pub(super) fn event_desc(encoder: &Encoder, events: &[EventSpec]) -> Vec<u8> {
    let attr_size = events.first().map_or(0, |event| event.attr_size);
    let mut section = encoder.halves(&[events.len() as u32, attr_size]);
    for event in events {
        section.extend(event.encode(encoder));
        section.extend(encoder.u32(event.ids.len() as u32));
        section.extend(encoder.string(&event.name));
        section.extend(encoder.words(&event.ids));
    }
    section
}
