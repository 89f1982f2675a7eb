//! Builds perf.data bytes in memory: files, pipes, compressed files and directories, in both byte orders.
//!
//! Written for tests of readers, from the format's description and not from a reader's code.
//!
//! ```
//! use testkit::{PerfDataBuilder, EventSpec, MapSpec, SampleSpec};
//!
//! let mut builder = PerfDataBuilder::new();
//! let cycles = builder.event(EventSpec::branch_stacks("cycles"));
//! builder.mmap(MapSpec::code(100, 0x40_0000, 0x1000, 0, "/bin/true").at(1));
//! builder.sample(SampleSpec::of(cycles, 100).at(2).branches(&[(0x40_0010, 0x40_0020), (0x40_0030, 0x40_0008)]));
//! let bytes = builder.build_file();
//! assert_eq!(&bytes[..8], b"PERFILE2");
//! ```

mod compression;
mod container;
mod encode;
mod event;
mod record;

pub use compression::Compression;
pub use encode::Endian;
pub use event::EventSpec;
pub use record::{MapSpec, SampleSpec};

use encode::Encoder;

/// A recording while it is being built.
#[derive(Debug, Clone)]
pub struct PerfDataBuilder {
    encoder: Encoder,
    events: Vec<EventSpec>,
    /// Records of the data section, in order.
    records: Vec<Vec<u8>>,
    /// Feature sections by number.
    features: Vec<(u32, Vec<u8>)>,
}

impl Default for PerfDataBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl PerfDataBuilder {
    /// Begins a recording of a little-endian machine.
    #[must_use]
    pub fn new() -> Self {
        Self::with_endian(Endian::Little)
    }

    /// Begins a recording of a machine with this byte order.
    #[must_use]
    pub fn with_endian(endian: Endian) -> Self {
        Self {
            encoder: Encoder::new(endian),
            events: Vec::new(),
            records: Vec::new(),
            features: Vec::new(),
        }
    }

    /// Adds an event and returns its index. An event without ids gets one id.
    pub fn event(&mut self, mut event: EventSpec) -> usize {
        let index = self.events.len();
        if event.ids.is_empty() {
            event.ids.push(1000 + index as u64);
        }
        self.events.push(event);
        index
    }

    /// Adds an MMAP2 record.
    pub fn mmap(&mut self, map: MapSpec) -> &mut Self {
        let record = map.encode(&self.encoder, self.events.first());
        self.record(record)
    }

    /// Adds an old-style MMAP record.
    pub fn mmap_v1(&mut self, map: MapSpec) -> &mut Self {
        let record = map.encode_v1(&self.encoder, self.events.first());
        self.record(record)
    }

    /// Adds a COMM record. `exec` is true if the process began to run another program.
    pub fn comm(&mut self, pid: i32, name: &str, exec: bool, time: u64) -> &mut Self {
        let record = record::comm(&self.encoder, self.events.first(), pid, name, exec, time);
        self.record(record)
    }

    /// Adds a FORK record of a process. If `pid` and `parent` are the same, the record is that of a thread.
    pub fn fork(&mut self, pid: i32, parent: i32, time: u64) -> &mut Self {
        let record = record::task(&self.encoder, self.events.first(), 7, [pid, parent], pid, time);
        self.record(record)
    }

    /// Adds a FORK record of another thread of a process.
    pub fn begin_thread(&mut self, pid: i32, tid: i32, time: u64) -> &mut Self {
        let record = record::task(&self.encoder, self.events.first(), 7, [pid, pid], tid, time);
        self.record(record)
    }

    /// Adds an EXIT record of another thread of a process.
    pub fn end_thread(&mut self, pid: i32, tid: i32, time: u64) -> &mut Self {
        let record = record::task(&self.encoder, self.events.first(), 4, [pid, pid], tid, time);
        self.record(record)
    }

    /// Adds an EXIT record of the first thread of a process.
    pub fn exit(&mut self, pid: i32, parent: i32, time: u64) -> &mut Self {
        let record = record::task(&self.encoder, self.events.first(), 4, [pid, parent], pid, time);
        self.record(record)
    }

    /// Adds a LOST record that states `count` lost records.
    pub fn lost(&mut self, count: u64, time: u64) -> &mut Self {
        let record = record::lost(&self.encoder, self.events.first(), count, time);
        self.record(record)
    }

    /// Adds a sample.
    ///
    /// # Panics
    /// Panics if there is no such event.
    pub fn sample(&mut self, sample: SampleSpec) -> &mut Self {
        let record = sample.encode(&self.encoder, &self.events[sample.event]);
        self.record(record)
    }

    /// Adds a record of any type.
    pub fn other(&mut self, record_type: u32, misc: u16, body: &[u8]) -> &mut Self {
        let record = self.encoder.record(record_type, misc, body);
        self.record(record)
    }

    /// Adds bytes without change: a whole record, or damage.
    pub fn record(&mut self, bytes: Vec<u8>) -> &mut Self {
        self.records.push(bytes);
        self
    }

    /// Adds a feature section.
    pub fn feature(&mut self, number: u32, section: Vec<u8>) -> &mut Self {
        self.features.push((number, section));
        self
    }

    /// Adds a feature section that has one string, such as HOSTNAME (3).
    pub fn string_feature(&mut self, number: u32, text: &str) -> &mut Self {
        let section = self.encoder.string(text);
        self.feature(number, section)
    }

    /// Adds the EVENT_DESC feature, which has the names of the events.
    pub fn describe_events(&mut self) -> &mut Self {
        let section = event::event_desc(&self.encoder, &self.events);
        self.feature(12, section)
    }

    /// Adds the BUILD_ID feature with these files and build ids.
    pub fn build_ids(&mut self, files: &[(&str, &[u8])]) -> &mut Self {
        let section = files
            .iter()
            .flat_map(|(name, id)| record::build_id(&self.encoder, 0, -1, name, id))
            .collect();
        self.feature(2, section)
    }

    /// Returns the records so far, one after the other.
    #[must_use]
    pub fn records(&self) -> Vec<u8> {
        self.records.concat()
    }
}
